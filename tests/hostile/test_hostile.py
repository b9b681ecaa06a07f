"""Each hostile request is refused, and none leaves a coroutine task, a thread, a file or a change.

Imports pytest and the rest of `hostile`.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import pytest

from tests.hostile import addresses, bodies, frames, lines, misfits
from tests.hostile.case import Case, get
from tests.hostile.frames import Said
from tests.hostile.watched import Watched, watched
from tests.hostile.wire import CLOSE, TEXT, Socket, exchange, frame
from tests.waiting import until

AT_ONCE = 16
MORE_MEMORY_MIB = 64
POOL = "uvloop_"
"""The threads of the loop, which are as many as it once needed at a time, at the most."""
GROUPS: dict[str, Callable[[], Iterable[Case]]] = {
    "lines": lines.cases,
    "bodies": bodies.cases,
    "addresses": addresses.cases,
    "misfits": misfits.cases,
}


@cache
def corpus(group: str) -> Sequence[Case]:
    """The cases of a group."""
    return tuple(GROUPS[group]())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """One for all."""
    with watched(tmp_path_factory.mktemp("hostile")) as server:
        yield server


@pytest.mark.parametrize("group", GROUPS)
async def test_every_request_is_refused(
    server: Watched, group: str, subtests: pytest.Subtests
) -> None:
    cases = await asyncio.to_thread(corpus, group)
    await leaves_nothing(server, cases, subtests, lambda case: _refused(server.port, case))


async def test_every_message_is_refused(server: Watched, subtests: pytest.Subtests) -> None:
    cases = await asyncio.to_thread(list, frames.cases())
    await leaves_nothing(server, cases, subtests, lambda said: _answered(server.port, said))


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    names = [case.name for group in GROUPS for case in corpus(group)]
    names += [said.name for said in frames.cases()]
    assert len(names) == len(set(names)) > 1_000


async def leaves_nothing(
    server: Watched, cases: Sequence[Any], subtests: pytest.Subtests, attempt: Callable[[Any], Any]
) -> None:
    """Try each, and compare what the server holds with what it held before."""
    before = await _settled(server)
    unchanged = await _shown(server)
    found = await _all(cases, attempt)
    for case, fault in found.items():
        with subtests.test(msg=case.name):
            raise fault
    await until(lambda: _more(before, server.held()) == [], within=20)
    assert server.held()["memory"] - before["memory"] < MORE_MEMORY_MIB
    assert await _shown(server) == unchanged


async def _shown(server: Watched) -> list[Any]:
    """What would be another, had anything been changed."""
    paths = "runs", "schedules", "auth/tokens", "audit?outcome=done", "queue/overview"
    answers = [
        (await exchange(server.port, get(f"/api/{path}"), half_close=False))[0] for path in paths
    ]
    return [json.loads(answer.body) for answer in answers]


async def _all(cases: Sequence[Any], attempt: Callable[[Any], Any]) -> dict[Any, Exception]:
    """Those that were not met as they should, and how."""
    room = asyncio.Semaphore(AT_ONCE)
    found: dict[Any, Exception] = {}

    async def one(case: Any) -> None:
        async with room:
            try:
                await attempt(case)
            except (AssertionError, TimeoutError, OSError, ValueError) as error:
                found[case] = error

    async with asyncio.TaskGroup() as group:
        for case in cases:
            group.create_task(one(case))
    return found


async def _refused(port: int, case: Case) -> None:
    answers = await exchange(port, case.sent, half_close=case.half_close)
    refusals = [answer for answer in answers if answer.status != 200]
    assert len(answers) - len(refusals) <= case.good, answers
    assert refusals or case.silent, "closed without an answer"
    for answer in refusals:
        assert answer.status in case.statuses, (answer.status, answer.body[:300])
        assert answer.headers["content-type"] == "application/problem+json"
        if answer.body:
            problem = json.loads(answer.body)
            assert problem["status"] == answer.status
            assert problem["detail"]
            assert "Traceback" not in problem["detail"]


async def _answered(port: int, said: Said) -> None:
    async with asyncio.timeout(15):
        socket = await Socket.connect(port, *said.headers)
        try:
            await socket.send(said.sent)
            if said.codes:
                code = await socket.end()
                assert code in said.codes, code
            else:
                problem = await socket.message("error")
                assert 400 <= problem["status"] < 500, problem
                await socket.send(frame(TEXT, b'{"type": "ping"}'))
                await socket.message("pong")
                await socket.send(frame(CLOSE, b"\x03\xe8"))
                assert await socket.end() == 1000
        finally:
            socket.writer.close()


async def _settled(server: Watched) -> dict[str, Any]:
    """What it holds, once each part has begun its threads, and two looks are the same."""
    await exchange(server.port, get("/api/logs?limit=1"), half_close=False)
    await until(lambda: _more(server.held(), server.held()) == [], within=20)
    return server.held()


def _more(before: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, str]]:
    """Of which kinds it holds more."""
    return [
        (kind, name)
        for kind in ("tasks", "threads", "files")
        for name, count in now[kind].items()
        if count > before[kind].get(name, 0) and name != POOL
    ]
