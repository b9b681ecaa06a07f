"""Plans as they are loaded and loaded anew, and who is told.

Imports pytest, aura_aio's scheduler, catalog and model, `bench` and `plan_site`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from aura_aio.model.errors import (
    BadReference,
    PlanNotFound,
    RunsActive,
    StoreUnavailable,
    TaskNotFound,
)
from aura_aio.model.fleet import PlanDigests
from aura_aio.model.plan import ActionSpec
from aura_aio.scheduler.admission import RunRequest
from aura_aio.scheduler.plans import Plans, inputs_schema, task_file_schema
from tests.scheduler.bench import STEP
from tests.scheduler.plan_site import TITLED, Site
from tests.waiting import turns, until

ACTION = '''
from aura_aio import action


@action
def {name}() -> int:
    """Answer."""
    return 1
'''


def actions_of(told: logging.LogRecord) -> dict[str, Any]:
    """What a record says."""
    return {key: vars(told).get(key) for key in ("action", "place", "reason", "count", "plans")}


async def test_plans_and_tasks_are_listed_by_name_and_found(site: Site) -> None:
    assert [plan.name for plan in site.plans.list()] == ["p", "q"]
    assert [task.name for task in site.plans.tasks("p")] == ["a", "t"]
    assert site.plans.get("p") is site.plans.catalog().plans["p"]
    assert site.plans.task("p", "tasks:t.yaml").full_task_id == "p/t"
    for ask in (site.plans.get, site.plans.tasks, lambda name: site.plans.task(name, "t")):
        with pytest.raises(PlanNotFound):
            ask("r")
    with pytest.raises(TaskNotFound):
        site.plans.task("p", "u")


async def test_built_in_actions_come_before_those_of_plans(site: Site) -> None:
    assert await site.plans.actions() == []
    site.write("actions.py", ACTION.format(name="z") + ACTION.format(name="y"))

    def builtin() -> Sequence[ActionSpec]:
        return [ActionSpec(name, "actions.py", name) for name in ("x", "a")]

    plans = await Plans.load([site.root / "plans"], builtin)
    found = [(plan, action.name) for plan, action in await plans.actions()]
    assert found == [(None, "x"), (None, "a"), ("p", "y"), ("p", "z")]


async def test_a_document_is_checked_as_a_file_of_a_plan(site: Site) -> None:
    site.write("actions.py", ACTION.format(name="own"))
    await site.reload(force=False)
    document = "steps: {a: {action: own}, b: {action: lgo}}"
    ask: dict[str, Any] = {"plan_name": "p", "file": "x.yaml", "sees": lambda _: True}
    (wrong,) = await site.plans.validate(document, **ask)
    assert (wrong.file, wrong.message) == (
        "x.yaml",
        "There is no action 'lgo'. Did you mean 'log'?",
    )
    without_plan = await site.plans.validate(document, **{**ask, "plan_name": None, "file": None})
    assert {each.file for each in without_plan} == {"task.yaml"}
    assert len(without_plan) == 2
    awaits = f"on: {{event: run.finished, plan: q, task: nothing}}\n{STEP}"
    assert len(await site.plans.validate(awaits, **ask)) == 1
    assert await site.plans.validate(awaits, **{**ask, "sees": lambda name: name == "p"}) == ()
    with pytest.raises(BadReference, match="no plan 'r'"):
        await site.plans.validate(document, **{**ask, "plan_name": "r"})


async def test_what_cannot_be_loaded_is_told_once_and_up_to_a_limit(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    root = site.root / "plans"
    for number in range(21):
        site.write(f"tasks/n{number:02}.yaml", "steps: {a: {action: nothing_of_the_kind}}")
    plans = await Plans.load([root, root / "nowhere"])
    told = list(map(actions_of, caplog.records))
    assert [each["action"] for each in told] == ["load_error"] * 20 + ["more_load_errors"]
    assert told[0]["place"] == str(root / "nowhere")
    assert told[0]["reason"] == "There is no such folder of plans."
    assert told[1]["place"].startswith("p/tasks/n00.yaml")
    assert told[20]["count"] == 2
    caplog.clear()
    plans.replace(await plans.read())
    assert caplog.records == []
    site.write("tasks/m.yaml", "steps: [")
    plans.replace(await plans.read())
    (new,) = map(actions_of, caplog.records)
    assert (new["action"], new["place"]) == ("load_error", "p/tasks/m.yaml:1:9")


async def test_plans_are_loaded_anew_as_a_whole_and_everybody_is_told(site: Site) -> None:
    before = site.plans.catalog()
    site.write("tasks/t.yaml", TITLED % "new")
    site.write("tasks/a.yaml", "steps: [")
    assert site.plans.catalog() is before
    await site.reload(force=False)
    assert (site.title(), site.told()) == ("new", (1, 1))
    with pytest.raises(TaskNotFound):
        site.plans.task("p", "a")  # who asks for all gets what there is


async def test_other_hosts_know_of_plans_before_a_run_is_accepted_with_them(site: Site) -> None:
    told: list[tuple[str, str]] = []
    hosts_hear = True

    @asynccontextmanager
    async def tell(plans: PlanDigests) -> AsyncIterator[None]:
        if not hosts_hear:
            raise StoreUnavailable("It is locked.")
        told.append((plans["p"], site.plans.get("p").digest))
        yield

    await site.reload.share(tell)
    first = site.plans.get("p").digest
    assert told == [(first, first)]
    await site.reload.changed([site.write("tasks/t.yaml", TITLED % "two")])
    second = site.plans.get("p").digest
    assert told[1:] == [(second, first)]
    site.write("tasks/t.yaml", TITLED % "three")
    await site.reload(force=False)
    third = site.plans.get("p").digest
    assert told[2:] == [(third, second)]
    hosts_hear = False
    four = [site.write("tasks/t.yaml", TITLED % "four")]
    for reload in (partial(site.reload.changed, four), partial(site.reload, force=False)):
        with pytest.raises(StoreUnavailable):
            await reload()
        assert (site.plans.get("p").digest, site.title()) == (third, "three")
    hosts_hear = True
    await site.reload.changed(four)
    assert (told[-1][0], site.title()) == (site.plans.get("p").digest, "four")
    assert site.loader.looks == 3


async def test_other_hosts_are_told_that_what_was_not_loaded_is_not_there(site: Site) -> None:
    told: list[str] = []
    hands_over = asyncio.Lock()

    @asynccontextmanager
    async def tell(plans: PlanDigests) -> AsyncIterator[None]:
        told.append(plans["p"])
        try:
            yield
        except BaseException:
            told.append(site.plans.get("p").digest)
            raise

    async def reload(switch: Callable[[], None]) -> None:
        async with hands_over:
            switch()

    await site.reload.share(tell)
    site.loader.reload = reload  # type: ignore[method-assign]
    before = site.plans.get("p").digest
    changed = [site.write("actions.py", ACTION.format(name="own"))]
    await hands_over.acquire()
    for begin in (partial(site.reload.changed, changed), partial(site.reload, force=False)):
        del told[:]
        task = asyncio.ensure_future(begin())
        await until(lambda: told != [])
        await turns(20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        new, taken_back = told
        assert new != before == taken_back == site.plans.get("p").digest
    hands_over.release()
    await site.reload.changed(changed)
    assert site.plans.get("p").digest == told[-1] != before


async def test_plans_are_not_loaded_anew_under_runs_unless_it_is_forced(site: Site) -> None:
    await site.subject.runs.submit(request())
    await site.subject.store.queue.claim(["w1"])
    site.write("tasks/t.yaml", TITLED % "new")
    with pytest.raises(RunsActive, match="A run is active"):
        await site.reload(force=False)
    assert (site.title(), site.told()) == ("old", (0, 0))
    await site.reload(force=True)
    assert (site.title(), site.told()) == ("new", (1, 1))


async def test_an_edit_is_loaded_under_runs_and_workers_are_left_alone(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    await site.subject.runs.submit(request())
    await site.subject.store.queue.claim(["w1"])
    edited = site.write("tasks/t.yaml", TITLED % "new")
    site.write("../q/tasks/t.yaml", TITLED % "not looked at")
    with caplog.at_level(logging.INFO, "aura.scheduler.plans"):
        await site.reload.changed({edited})
        await site.reload.changed({edited})
    assert (site.title(), site.told()) == ("new", (0, 1))
    assert site.plans.task("q", "t").meta.title is None
    assert [each["plans"] for each in map(actions_of, caplog.records)] == [["p"]]


async def test_workers_load_anew_what_they_could_not_execute(site: Site) -> None:
    site.write("actions.py", ACTION.format(name="own"))
    await site.reload.changed(None)
    assert list(site.plans.get("p").actions) == ["own"]
    assert site.told() == (1, 1)


async def test_what_is_broken_now_stays_as_it_was(site: Site) -> None:
    await site.reload.changed({site.write("tasks/t.yaml", "steps: [")})
    assert site.title() == "old"
    assert [error.file for error in site.plans.get("p").errors] == ["tasks/t.yaml"]
    assert site.told() == (0, 1)


async def test_schedules_and_events_that_were_not_told_are_told_next_time(site: Site) -> None:
    await site.reload.changed(frozenset())
    assert (site.told(), site.reload.is_unfinished) == ((0, 0), False)
    edited = site.write("tasks/t.yaml", TITLED % "new")
    site.triggers.store_is_there = False
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await site.reload.changed({edited})
        assert site.reload.is_unfinished
    site.triggers.store_is_there = True
    await site.reload.changed(frozenset())
    assert (site.told(), site.reload.is_unfinished) == ((0, 3), False)
    await site.reload.changed(frozenset())
    assert site.told() == (0, 3)


async def test_two_that_load_plans_anew_wait_for_one_another(site: Site) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        begun.set()
        await gate.wait()

    first = site.write("tasks/t.yaml", TITLED % "first")
    site.triggers.plans_changed = slow  # type: ignore[method-assign]
    async with asyncio.TaskGroup() as group:
        group.create_task(site.reload.changed({first}))
        await begun.wait()
        site.write("tasks/t.yaml", TITLED % "second")
        group.create_task(site.reload(force=False))
        group.create_task(site.reload.changed(None))
        await turns(20)
        assert (site.title(), site.loader.reloads) == ("first", 0)
        gate.set()
    assert (site.title(), site.loader.reloads) == ("second", 1)


def request() -> RunRequest:
    """For a run of `p/t`."""
    return RunRequest(plan_name="p", task_name="t")


async def test_what_a_task_must_be_given_is_told_as_json_schema(site: Site) -> None:
    site.write("tasks/t.yaml", f"meta: {{inputs: [{{name: n, type: integer}}]}}\n{STEP}")
    await site.reload(force=False)
    schema = inputs_schema(site.plans.task("p", "t"))
    assert schema["properties"]["n"]["type"] == "integer"
    assert task_file_schema()["$schema"].startswith("https://json-schema.org/")
