"""Edits that are noticed by themselves, and loaded.

Imports pytest, aura_aio's model and `plan_site`.
"""

import logging
from pathlib import Path

import pytest

from aura_aio.model.errors import StoreUnavailable
from tests.scheduler.bench import STEP
from tests.scheduler.plan_site import TITLED, Site
from tests.waiting import until


async def test_folders_that_are_linked_to_are_watched_as_well(site: Site) -> None:
    elsewhere = site.root / "elsewhere"
    (site.root / "plans" / "q").rename(elsewhere)
    (site.root / "plans" / "q").symlink_to(elsewhere)
    assert site.plans.folders() == (site.root / "plans",)
    await site.reload(force=False)
    assert site.plans.folders() == (site.root / "plans", elsewhere)


async def test_edits_are_noticed_while_that_is_enabled(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "aura.scheduler.hot_reload")
    hot = site.hot_reload
    assert (hot.is_enabled, await hot.disable()) == (False, False)
    site.write("tasks/t.yaml", TITLED % "before")
    assert (hot.enable(), hot.is_enabled) == (True, True)
    assert hot.enable() is False
    await until(lambda: site.title() == "before", within=20)
    site.triggers.store_is_there = False
    site.write("tasks/t.yaml", TITLED % "edited")
    await until(lambda: "reload_waits" in actions(caplog), within=20)
    site.triggers.store_is_there = True
    await until(lambda: not site.reload.is_unfinished, within=20)
    assert site.title() == "edited"
    assert (await hot.disable(), await hot.disable()) == (True, False)
    assert not hot.is_enabled
    assert {"hot_reload_enabled", "hot_reload_disabled"} < set(actions(caplog))
    assert hot.enable()


async def test_edits_that_could_not_be_loaded_are_asked_for_again_with_what_came_since(
    site: Site,
) -> None:
    asked: list[frozenset[Path] | None] = []
    is_there = False

    async def changed(paths: frozenset[Path] | None) -> None:
        asked.append(paths)
        if paths and not is_there:
            raise StoreUnavailable("It is locked.")

    def are_asked_for(*paths: Path) -> bool:
        return asked[-1] == frozenset(paths)

    site.reload.changed = changed  # type: ignore[method-assign, assignment]
    site.hot_reload.enable()
    await until(lambda: asked == [None], within=20)
    first = site.write("tasks/t.yaml", STEP)
    await until(lambda: are_asked_for(first), within=20)
    second = site.write("tasks/a.yaml", TITLED % "a")
    await until(lambda: are_asked_for(first, second), within=20)
    is_there = True
    await until(lambda: len(asked) > 3, within=20)
    third = site.write("tasks/u.yaml", STEP)
    await until(lambda: are_asked_for(third), within=20)


async def test_a_watch_that_has_died_is_not_enabled_and_can_be_begun_again(site: Site) -> None:
    async def changed(_: object) -> None:
        raise RuntimeError("nothing is noticed any more")

    site.reload.changed = changed  # type: ignore[method-assign, assignment]
    hot = site.hot_reload
    hot.enable()
    await until(lambda: not hot.is_enabled, within=20)


def actions(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, by action."""
    return [str(vars(record).get("action")) for record in caplog.records]
