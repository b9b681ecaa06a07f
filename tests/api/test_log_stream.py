"""The log of a run as a monitor on `/ws/logs` sees it: each line once, in order, with its step."""

from pathlib import Path
from typing import Any

import pytest

from tests.serving import Served, write_plan

_TASK = """
meta:
  inputs: [{name: lines, type: number, required: true}]
steps:
  first: {action: say, params: {word: first, lines: "{{ inputs.lines }}"}}
  second: {action: say, depends_on: first, params: {word: second, lines: "{{ inputs.lines }}"}}
  shout: {action: shout, depends_on: second}
"""
_ACTIONS = '''"""Actions that log in every way there is."""

import logging

from aura_aio import ActionContext, action


@action
async def say(context: ActionContext, word: str, lines: int) -> None:
    """Log so many lines."""
    for number in range(lines):
        context.log(f"{word} {number}")


@action
def shout() -> None:
    """Print, and log, without a context."""
    print("printed")
    logging.getLogger("my.module").warning("logged")
'''
_EXPECTED = [
    *(("first", f"first {number}") for number in range(50)),
    *(("second", f"second {number}") for number in range(50)),
    ("shout", "printed"),
    ("shout", "logged"),
]


@pytest.fixture
async def talker(make_server: Any, tmp_path: Path) -> Served:
    """A server whose plan `talk` logs a lot."""
    write_plan(tmp_path / "plans", "talk", {"talk": _TASK}, _ACTIONS)
    server: Served = await make_server(plans=[str(tmp_path / "plans")], start=False)
    return server


async def _watch(server: Served, query: str) -> list[Any]:
    """All entries that a monitor gets until it is told that the run has ended."""
    entries: list[Any] = []
    async with server.session.ws_connect(f"{server.url}/ws/logs?{query}") as ws:
        async for message in ws:
            frame = message.json()
            if frame["type"] == "log":
                entries.append(frame["payload"])
            elif frame["type"] == "end":
                break
    return entries


def _by_step(entries: list[Any]) -> list[tuple[str, str]]:
    return [(entry["step"], entry["message"]) for entry in entries if "step" in entry]


async def test_a_monitor_sees_each_line_of_a_run_once_in_order(talker: Served) -> None:
    cid = await talker.run("talk", "talk", inputs={"lines": 50})
    async with talker.session.ws_connect(f"{talker.url}/ws/logs?cid={cid}") as ws:
        assert (await ws.receive_json())["type"] == "hello"
        await talker.post("/api/system/start")
        entries = []
        async for message in ws:
            frame = message.json()
            if frame["type"] == "end":
                assert frame["payload"]["status"] == "succeeded"
                break
            if frame["type"] == "log":
                entries.append(frame["payload"])
    assert _by_step(entries) == _EXPECTED
    seqs = [entry["seq"] for entry in entries]
    assert seqs == sorted(set(seqs))
    assert {entry["cid"] for entry in entries} == {cid}


async def test_a_late_monitor_sees_the_same_with_since(talker: Served) -> None:
    await talker.post("/api/system/start")
    run = await talker.done("talk", "talk", inputs={"lines": 50})
    late = await _watch(talker, f"cid={run['cid']}&since=0")
    assert _by_step(late) == _EXPECTED
    middle = late[len(late) // 2]["seq"]
    rest = await _watch(talker, f"cid={run['cid']}&since={middle}")
    assert rest == [entry for entry in late if entry["seq"] > middle]


async def test_the_stored_log_is_the_streamed_one(talker: Served) -> None:
    await talker.post("/api/system/start")
    run = await talker.done("talk", "talk", inputs={"lines": 3})
    assert await talker.log(run["cid"]) == await _watch(talker, f"cid={run['cid']}&since=0")


async def test_two_runs_do_not_mix(talker: Served) -> None:
    await talker.post("/api/system/start")
    runs = [await talker.run("talk", "talk", inputs={"lines": 20}) for _ in range(4)]
    for cid in runs:
        entries = await _watch(talker, f"cid={cid}&since=0")
        assert {entry["cid"] for entry in entries} == {cid}
        assert [message for step, message in _by_step(entries) if step == "second"] == [
            f"second {number}" for number in range(20)
        ]


async def test_a_plain_get_is_told_to_upgrade(talker: Served) -> None:
    response = await talker.get("/ws/logs")
    assert response.status == 426
    assert response.headers["Upgrade"] == "websocket"
