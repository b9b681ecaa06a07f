"""Limits between runs, with real workers: they hold, block nobody else, and come back.

Imports the fixtures and `tests.serving`.
"""

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.serving import Served, write_plan
from tests.waiting import until

_ACTIONS = '''"""An action that is held, and says when it comes and goes."""

import asyncio
from pathlib import Path

from aura_aio import action


@action
async def stay(folder: str, name: str) -> None:
    """Stay until the file `gate` is in the folder."""
    with Path(folder, "record").open("a", encoding="utf-8") as record:
        record.write(f"+{name}\\n")
    while not Path(folder, "gate").exists():
        await asyncio.sleep(0.01)
    with Path(folder, "record").open("a", encoding="utf-8") as record:
        record.write(f"-{name}\\n")
'''

_TASK = """
meta:
  concurrency: {concurrency}
  inputs: [{{name: folder, type: string, required: true}}]
steps:
  stay: {{action: stay, params: {{folder: "{{{{ inputs.folder }}}}", name: {name}}}}}
"""

_CONCURRENCY = {
    "free": "concurrent",
    "only": "exclusive",
    "alone": "{mutex_group: door}",
    "three": "{mode: shared, resources: ['api:example:3']}",
    "twice": "{max_instances: 2}",
    "both": "{mode: shared, resources: ['api:example:3'], mutex_group: door}",
}
MOST = {"only": 1, "alone": 1, "three": 3, "twice": 2}


class Site:
    """A server with the plan, and the folder of its runs."""

    def __init__(self, server: Served, folder: Path) -> None:
        self.server = server
        self.folder = folder

    async def run(self, task: str, **rest: Any) -> str:
        """Start a run that stays until the gate is open; its cid."""
        return await self.server.run("site", task, inputs={"folder": str(self.folder)}, **rest)

    async def get(self, cid: str) -> Any:
        """The run."""
        return (await self.server.get(f"/api/runs/{cid}")).json

    async def running(self, cid: str) -> None:
        """Return when it runs."""
        await until(lambda: self.is_running(cid), within=20)

    async def is_running(self, cid: str) -> bool:
        """Whether it runs."""
        return bool((await self.get(cid))["status"] == "running")

    async def reasons(self, cid: str) -> list[Any]:
        """Why it waits."""
        reasons: list[Any] = (await self.get(cid))["waiting"]["reasons"]
        return reasons

    async def workers(self) -> dict[str, int]:
        """The pids of the workers that are ready, by name."""
        status = (await self.server.get("/api/system/status")).json
        return {each["name"]: each["pid"] for each in status["workers"] if each["state"] == "ready"}

    def open_gate(self) -> None:
        """Let all go that stay."""
        (self.folder / "gate").touch()

    def most_at_once(self) -> dict[str, int]:
        """How many runs of each task there were at a time, at the most."""
        now: Counter[str] = Counter()
        most: Counter[str] = Counter()
        for line in (self.folder / "record").read_text().split():
            now[line[1:]] += 1 if line[0] == "+" else -1
            most[line[1:]] = max(most[line[1:]], now[line[1:]])
        assert not +now
        return dict(most)


@pytest.fixture
async def site(make_server: MakeServer, tmp_path: Path) -> Site:
    """Three workers that are up."""
    tasks = {
        name: _TASK.format(name=name, concurrency=concurrency)
        for name, concurrency in _CONCURRENCY.items()
    }
    write_plan(tmp_path / "plans", "site", tasks, _ACTIONS)
    server = await make_server(plans=[str(tmp_path / "plans")], workers=3, slots=5)
    folder = tmp_path / "runs"
    folder.mkdir()
    site = Site(server, folder)

    async def all_up() -> bool:
        return len(await site.workers()) == 3

    await until(all_up, within=30)
    return site


async def test_limits_hold_over_all_workers_and_are_used_up(site: Site) -> None:
    cids = [await site.run(task) for _ in range(6) for task in MOST]

    async def full() -> list[Any]:
        active: list[Any] = (await site.server.get("/api/runs/active")).json["items"]
        return active if len(active) == sum(MOST.values()) else []

    active = await until(full, within=20)
    assert Counter(run["task_name"] for run in active) == MOST
    assert len({run["worker"] for run in active}) == 3
    site.open_gate()
    ends = [await site.server.finished(cid) for cid in cids]
    assert {run["status"] for run in ends} == {"succeeded"}
    assert site.most_at_once() == MOST


async def test_a_run_that_waits_holds_up_no_other_and_says_what_it_waits_for(site: Site) -> None:
    holders = [await site.run("three") for _ in range(3)]
    for cid in holders:
        await site.running(cid)
    blocked = [await site.run("three", priority=50) for _ in range(20)]
    other = [await site.run(task) for task in ("alone", "only", "free")]
    for cid in other:
        await site.running(cid)
    (reason,) = await site.reasons(blocked[0])
    assert (reason["code"], reason["resource"]) == ("resource", "api:example")
    assert sorted(reason["blocking_cids"]) == sorted(holders)
    listed = (await site.server.get("/api/queue/list")).json["items"]
    assert [entry["cid"] for entry in listed] == blocked
    assert {entry["waiting"]["reasons"][0]["code"] for entry in listed} == {"resource"}
    site.open_gate()
    for cid in (*holders, *blocked, *other):
        assert (await site.server.finished(cid))["status"] == "succeeded"


@pytest.mark.parametrize(
    ("task", "code", "resource"),
    [
        ("only", "exclusive", None),
        ("alone", "mutex", "door"),
        ("twice", "max_instances", "site/twice"),
    ],
)
async def test_every_kind_of_limit_has_a_word(
    site: Site, task: str, code: str, resource: str | None
) -> None:
    holders = [await site.run(task) for _ in range(MOST[task])]
    for cid in holders:
        await site.running(cid)
    run = await site.get(await site.run(task))
    (reason,) = run["waiting"]["reasons"]
    assert (reason["code"], reason.get("resource")) == (code, resource)
    assert reason["blocking_cids"] == holders
    assert reason["since"] == run["created_at"]


async def test_a_run_that_goes_first_gets_what_comes_free_before_all_others(site: Site) -> None:
    door = await site.run("alone")
    await site.running(door)
    first = await site.run("both", priority=9)
    two = [await site.run("three") for _ in range(2)]
    for cid in two:
        await site.running(cid)
    third = await site.run("three")
    codes = [reason["code"] for reason in await site.reasons(third)]
    assert codes == ["behind"]  # the last place is kept for the one that goes first
    assert [reason["code"] for reason in await site.reasons(first)] == ["mutex"]
    await site.server.post(f"/api/tasks/{door}/cancel")
    await site.running(first)
    assert not await site.is_running(third)


@pytest.mark.parametrize("how", ["cancel", "priority"])
async def test_who_lets_go_of_its_place_in_the_queue_lets_others_start(
    site: Site, how: str
) -> None:
    await site.running(await site.run("alone"))
    first = await site.run("both", priority=9)
    others = [await site.run("three") for _ in range(3)]
    for cid in others[:2]:
        await site.running(cid)
    assert [reason["code"] for reason in await site.reasons(others[2])] == ["behind"]
    if how == "cancel":
        await site.server.post(f"/api/tasks/{first}/cancel")
    else:
        await site.server.request("PATCH", f"/api/tasks/{first}/priority", json={"priority": -9})
    await site.running(others[2])


async def test_a_place_comes_back_when_its_worker_dies(site: Site) -> None:
    holder = await site.run("alone")
    await site.running(holder)
    blocked = await site.run("alone")
    assert [reason["code"] for reason in await site.reasons(blocked)] == ["mutex"]
    worker = (await site.get(holder))["worker"]
    os.kill((await site.workers())[worker], signal.SIGKILL)
    await site.running(blocked)
    lost = await site.server.finished(holder)
    assert (lost["status"], lost["error"]["type"]) == ("failed", "WorkerLost")
    site.open_gate()
    assert (await site.server.finished(blocked))["status"] == "succeeded"
