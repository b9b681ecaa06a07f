"""The log stream of the whole server: real runs in worker processes, over the public contract.

Imports aiohttp, the server that tests.serving offers, and the parts of tests.streams.
"""

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from tests.conftest import MakeServer
from tests.serving import Served, serving, write_plan
from tests.streams.clients import Monitor
from tests.streams.test_live import handshake
from tests.waiting import until

LINES = 300
TASK = """
steps:
  first:
    action: chatter
    params: {name: first, lines: %(lines)d}
  second:
    depends_on: first
    action: chatter
    params: {name: second, lines: %(lines)d}
"""
ACTIONS = """
import logging
from aura_aio import ActionContext, action

@action
async def chatter(name: str, lines: int, context: ActionContext) -> None:
    for number in range(lines):
        context.log(f"{name} {number}")

@action
async def odd() -> None:
    logging.getLogger("odd").warning("caf\\udce9 \\x00")
    print("printed")
"""


async def start(make_server: MakeServer, tmp_path: Path) -> Served:
    """A server with a plan that logs."""
    tasks = {"chat": TASK % {"lines": LINES}, "odd": "steps: {only: {action: odd}}\n"}
    write_plan(tmp_path / "plans", "talk", tasks, ACTIONS)
    return await make_server(plans=[str(tmp_path / "plans")])


async def connect(server: Served, **query: Any) -> Monitor:
    """A monitor of the server."""
    url = server.url + "/ws/logs"
    return Monitor(await server.session.ws_connect(url, params=query, max_msg_size=0))


def said(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The step and text of the entries that actions of `chat` have logged."""
    return [
        (each["payload"]["step"], each["payload"]["message"])
        for each in messages
        if each["type"] == "log" and each["payload"].get("step") in ("first", "second")
    ]


EXPECTED = [(step, f"{step} {number}") for step in ("first", "second") for number in range(LINES)]


async def test_each_line_of_a_run_once_in_order_with_its_step(
    make_server: MakeServer, tmp_path: Path
) -> None:
    server = await start(make_server, tmp_path)
    cid = await server.run("talk", "chat")
    early = await connect(server, cid=cid, since=0)
    live = await early.up_to("end")
    assert said(live) == EXPECTED
    assert live[-1]["payload"] == {"cid": cid, "status": "succeeded"}
    late = await connect(server, cid=cid, since=0)
    replayed = await late.up_to("end")
    assert [each for each in replayed if each["type"] == "log"] == [
        each for each in live if each["type"] == "log"
    ]
    middle = live[LINES]["payload"]["seq"]
    rest = await connect(server, cid=cid, since=middle)
    assert [
        each["payload"]["seq"] for each in await rest.up_to("end") if each["type"] == "log"
    ] == [
        each["payload"]["seq"]
        for each in live
        if each["type"] == "log" and each["payload"]["seq"] > middle
    ]
    assert await server.log(cid) == [each["payload"] for each in live if each["type"] == "log"]


async def test_many_runs_and_monitors_at_once(make_server: MakeServer, tmp_path: Path) -> None:
    server = await start(make_server, tmp_path)
    everything = await connect(server)
    await everything.up_to("caught_up")
    cids = [await server.run("talk", "chat") for _ in range(6)]

    async def watch(cid: str) -> list[tuple[str, str]]:
        return said(await (await connect(server, cid=cid, since=0)).up_to("end"))

    async with asyncio.TaskGroup() as group:
        watching = [group.create_task(watch(cid)) for cid in cids]
    for watched in watching:
        assert watched.result() == EXPECTED
    seqs: list[int] = []
    lines = 0
    while lines < 6 * 2 * LINES:
        payload = await everything.message("log")
        seqs.append(payload["seq"])
        lines += payload.get("step") in ("first", "second")
    assert seqs == list(range(seqs[0], seqs[-1] + 1))


async def test_what_no_encoding_can_spell_reaches_the_monitor(
    make_server: MakeServer, tmp_path: Path
) -> None:
    server = await start(make_server, tmp_path)
    cid = await server.run("talk", "odd")
    monitor = await connect(server, cid=cid, since=0)
    entries = [each["payload"] for each in await monitor.up_to("end") if each["type"] == "log"]
    messages = [entry["message"] for entry in entries if entry.get("step") == "only"]
    assert messages == ["caf\\udce9 \x00", "printed"]


async def test_the_server_itself_is_heard(make_server: MakeServer, tmp_path: Path) -> None:
    server = await start(make_server, tmp_path)
    monitor = await connect(server, since=0)
    entries = [each["payload"] for each in await monitor.up_to("caught_up")]
    assert any(
        entry.get("logger", "").startswith("aura.") and "action" in entry.get("data", {})
        for entry in entries
    )


async def test_the_status_counts_monitors(make_server: MakeServer, tmp_path: Path) -> None:
    server = await start(make_server, tmp_path)

    async def monitors() -> int:
        status = (await server.get("/api/system/status")).json
        count: int = status["log_stream"]["monitors"]
        return count

    assert await monitors() == 0
    monitor = await connect(server)
    await monitor.message("hello")
    assert await monitors() == 1
    await monitor.ws.close()

    async def gone() -> bool:
        return await monitors() == 0

    await until(gone)


async def test_refusals_keep_to_the_contract(make_server: MakeServer, tmp_path: Path) -> None:
    server = await start(make_server, tmp_path)
    assert (await server.get("/ws/logs")).status == 426
    assert (await server.get("/ws/logs?level=loud", headers=handshake())).status == 422
    assert (await server.get("/ws/logs?levle=info", headers=handshake())).status == 422
    assert (await server.get("/ws/logs?since=-1", headers=handshake())).status == 422
    assert (await server.get("/ws/logs", headers=handshake(Sec_WebSocket_Key="x"))).status == 400
    foreign = handshake(Origin="http://elsewhere.example")
    assert (await server.get("/ws/logs", headers=foreign)).status == 403


async def test_bye_at_the_shutdown_and_the_rest_after_a_restart(tmp_path: Path) -> None:
    write_plan(tmp_path / "plans", "talk", {"chat": TASK % {"lines": LINES}}, ACTIONS)
    settings = {"plans": [str(tmp_path / "plans")], "data_dir": str(tmp_path / "data")}
    async with ClientSession() as session, asyncio.TaskGroup() as group:
        async with serving(**settings) as server:
            monitor = Monitor(await session.ws_connect(server.url + "/ws/logs"))
            await monitor.message("hello")
            cid = await server.run("talk", "chat")
            resting = group.create_task(monitor.rest())
            await server.finished(cid)
        before = await resting
        assert before[-1] == {"type": "bye", "payload": {"reason": "shutdown"}}
        assert monitor.code == 1001
        assert said(before) == EXPECTED
        last = [each["payload"]["seq"] for each in before if each["type"] == "log"][-1]
        async with serving(**settings) as server:
            monitor = await connect(server, since=last)
            after = await monitor.up_to("caught_up")
            seqs = [each["payload"]["seq"] for each in after if each["type"] == "log"]
            assert seqs == list(range(last + 1, last + 1 + len(seqs)))
            assert said(after) == []
