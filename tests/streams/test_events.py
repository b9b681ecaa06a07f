"""The log as Server-Sent Events, read from a whole server as an EventSource does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from tests.conftest import MakeServer
from tests.probe_plan import write_probe
from tests.serving import Served, serving
from tests.streams.contract import check
from tests.waiting import until


class Event(NamedTuple):
    """An event as it was received."""

    kind: str
    data: Any
    id: str | None


class Source:
    """Reads events; each is checked as the message of the WebSocket that it stands for."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self) -> Event | None:
        """The next event, or None at the end."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(20):
            while line := (await self.response.content.readline()).decode():
                name, _, value = line.rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                elif "event" in fields:
                    event = Event(fields["event"], json.loads(fields["data"]), fields.get("id"))
                    check({"type": event.kind, "payload": event.data})
                    return event
        return None

    async def until(self, kind: str) -> list[Event]:
        """The events until one of this kind, which is the last."""
        found: list[Event] = []
        while event := await self.next():
            found.append(event)
            if event.kind == kind:
                return found
        raise AssertionError(f"no {kind} in {found}")

    async def rest(self) -> list[Event]:
        """All events to the end of the answer."""
        return [event async for event in self]

    async def __aiter__(self) -> AsyncIterator[Event]:
        while event := await self.next():
            yield event


@pytest.fixture
async def probe(make_server: MakeServer, tmp_path: Path) -> Served:
    """A server with the plan of the tests."""
    return await make_server(plans=[write_probe(tmp_path / "plans")], heartbeat_sec=0.05)


@asynccontextmanager
async def events(server: Served, query: str = "", **headers: str) -> AsyncIterator[Source]:
    """The stream, which must begin."""
    address = f"{server.url}/api/logs/stream{query}"
    async with server.session.get(address, headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/event-stream"
        yield Source(response)


async def test_a_run_is_streamed_from_its_beginning_to_its_end(probe: Served) -> None:
    cid = (await probe.done("probe", "say", inputs={"lines": 600}))["cid"]
    async with events(probe, f"?cid={cid}&since=0") as source:
        found = await source.rest()
    assert found[0].kind == "hello"
    assert found[-1] == Event("end", {"cid": cid, "status": "succeeded"}, None)
    logged = [event for event in found if event.kind == "log"]
    assert [event.data for event in logged] == await probe.log(cid)
    assert [event.id for event in logged] == [str(event.data["seq"]) for event in logged]


async def test_what_happens_is_streamed_as_it_does(probe: Served) -> None:
    async with events(probe, "?plan_name=probe") as source:
        assert [event.kind for event in await source.until("caught_up")] == ["hello", "caught_up"]
        cid = await probe.run("probe", "say", inputs={"lines": 2})
        first = await source.next()
        assert first is not None
        assert first.data["cid"] == cid


async def test_who_comes_back_goes_on_without_gap_or_double(probe: Served) -> None:
    cid = (await probe.done("probe", "say", inputs={"lines": 50}))["cid"]
    whole = await probe.log(cid)
    async with events(probe, f"?cid={cid}&since=0") as source:
        seen = [await source.next() for _ in range(21)][1:]
    last = seen[-1]
    assert last is not None
    headers = {"Last-Event-ID": str(last.id)}
    async with events(probe, f"?cid={cid}&since=0&tail=1", **headers) as source:
        rest = [event for event in await source.rest() if event.kind == "log"]
    assert [event.data for event in seen if event] + [event.data for event in rest] == whole


async def test_a_quiet_stream_gives_signs_of_life(probe: Served) -> None:
    async with events(probe, "?level=critical") as source:
        await source.until("caught_up")
        lines = [await source.response.content.readline() for _ in range(4)]
    assert lines == [b": still here\n", b"\n"] * 2


async def test_a_server_that_shuts_down_says_so(tmp_path: Path) -> None:
    plans = [write_probe(tmp_path / "plans")]
    async with aiohttp.ClientSession() as session, AsyncExitStack() as up:
        server = await up.enter_async_context(serving(plans=plans, data_dir=str(tmp_path / "data")))
        async with session.get(f"{server.url}/api/logs/stream?since=0") as response:
            source = Source(response)
            await source.until("caught_up")
            ending = asyncio.create_task(source.rest())
            await up.aclose()
            found = await ending
    assert found[-1] == Event("bye", {"reason": "shutdown"}, None)


async def test_what_cannot_be_streamed_is_a_problem(probe: Served) -> None:
    assert (await probe.get("/api/logs/stream?cid=none")).status == 404
    assert (await probe.get("/api/logs/stream?level=loud")).status == 422
    bad = await probe.get("/api/logs/stream", headers={"Last-Event-ID": "x"})
    assert bad.json["errors"][0]["location"] == "header"


async def test_a_client_that_leaves_is_forgotten(probe: Served) -> None:
    async with events(probe) as source:
        await source.until("caught_up")
        assert (await probe.get("/api/system/status")).json["log_stream"]["monitors"] == 1

    async def gone() -> bool:
        status = (await probe.get("/api/system/status")).json
        return bool(status["log_stream"]["monitors"] == 0)

    await until(gone)
