"""The server is killed again and again: each due time, and each event, starts one run."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.backends import DATABASES
from tests.server_process import ServerProcess, server_process
from tests.serving import write_plan
from tests.waiting import until

KILLS = 5
STEP = "steps: {a: {action: log, params: {message: x}}}"
TASKS = {
    "tick": STEP,
    "after": f"on: {{event: run.finished, task: tick}}\n{STEP}",
}
SCHEDULE = "every: {task: tick, every: 1, overlap: queue, catch_up: all, jitter_sec: 0.5}"


async def _count(server: ServerProcess, **filters: str) -> int:
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return len((await server.get(f"/api/runs?limit=1000&{query}")).json["items"])


async def _until_more(server: ServerProcess, count: int) -> None:
    async def more() -> bool:
        return await _count(server, task_name="tick") >= count

    await until(more, within=30)


async def _until_quiet(server: ServerProcess) -> None:
    """Return when the schedule is disabled and everything that it led to has ended."""
    await server.request("PATCH", "/api/schedules/p%2Fevery", json={"enabled": False})

    async def quiet() -> bool:
        ended = await _count(server, task_name="tick") == await _count(server, task_name="after")
        waiting = (await server.get("/api/runs?status=queued&status=running")).json["items"]
        return ended and not waiting

    await until(quiet, within=30)


def _origins(folder: Path) -> dict[str, list[tuple[str, Any]]]:
    """The cid and the origin of each run, by its task."""
    found: dict[str, list[tuple[str, Any]]] = {task: [] for task in TASKS}
    for task, cid, origin in DATABASES.rows(folder, "SELECT task_name, cid, origin FROM runs"):
        found[task].append((cid, json.loads(origin)))
    return found


async def test_kills_at_any_moment_neither_lose_nor_double_a_due_time_or_an_event(
    tmp_path: Path,
) -> None:
    (write_plan(tmp_path / "plans", "p", TASKS) / "schedule.yaml").write_text(SCHEDULE, "utf-8")
    data, plans = tmp_path / "data", str(tmp_path / "plans")
    for kill in range(KILLS):
        async with server_process(data, plans) as server:
            await _until_more(server, 2 * (kill + 1))
            await server.kill()
    async with server_process(data, plans) as server:
        await _until_more(server, 2 * KILLS + 1)
        await _until_quiet(server)
        await server.terminate()
    origins = _origins(data)
    ticks = origins["tick"]
    due = sorted(origin["due_at"] for _, origin in ticks)
    assert due == [due[0] + number for number in range(len(due))]
    events = Counter(origin["cid"] for _, origin in origins["after"])
    assert events == Counter(cid for cid, _ in ticks)
