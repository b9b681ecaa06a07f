"""The virtual clock and its loop: waits end at their time, and what is no wait takes none.

Imports pytest, aiohttp for a real connection, and aura_aio's clock for tests.
"""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import aiohttp
import pytest
from aiohttp import web

from aura_aio.testing import VirtualClock
from aura_aio.testing.clock import VirtualLoop

T = TypeVar("T")
DAY = 86_400.0

Run = Callable[[Callable[[], Awaitable[Any]]], Any]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def run(clock: VirtualClock) -> Iterator[Run]:
    loop = VirtualLoop(clock)

    def run(work: Callable[[], Awaitable[T]]) -> T:
        async def main() -> T:
            return await work()

        return loop.run_until_complete(main())

    yield run
    loop.close()


def test_the_clock_stands_still_until_it_is_moved(clock: VirtualClock) -> None:
    assert clock.time == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert clock.now() == clock.time.timestamp()
    clock.advance(90)
    assert clock.time == datetime(2026, 1, 1, 12, 1, 30, tzinfo=UTC)
    clock.set(datetime(2025, 6, 1, tzinfo=UTC))
    assert clock.time == datetime(2025, 6, 1, tzinfo=UTC)
    assert clock.monotonic() == 90
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="no time zone"):
        clock.set(datetime(2025, 6, 1))  # noqa: DTZ001 - that is what is refused


def test_waits_end_at_their_time_and_in_order(run: Run, clock: VirtualClock) -> None:
    ended: list[tuple[str, float]] = []

    async def wait(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        ended.append((name, clock.monotonic()))

    async def work() -> None:
        await asyncio.gather(wait("c", 100 * DAY), wait("a", 0.1), wait("b", 3600))

    run(work)
    assert ended == [("a", 0.1), ("b", 3600), ("c", 100 * DAY)]


def test_a_time_that_a_float_cannot_reach_is_reached(run: Run, clock: VirtualClock) -> None:
    clock.advance(1e12)

    async def work() -> None:
        for _ in range(100):
            await clock.sleep(0.1)

    run(work)
    assert clock.monotonic() == pytest.approx(1e12 + 10, abs=0.1)


def test_a_limit_ends_what_waits_longer(run: Run, clock: VirtualClock) -> None:
    async def work() -> None:
        async with asyncio.timeout(30):
            await clock.sleep(31)

    with pytest.raises(TimeoutError):
        run(work)
    assert clock.monotonic() == 30


def test_what_a_thread_takes_is_no_time(run: Run, clock: VirtualClock) -> None:
    working, may_end = threading.Event(), threading.Event()

    def in_thread() -> str:
        working.set()
        assert may_end.wait(20)
        return "done"

    async def work() -> str:
        async with asyncio.timeout(60):
            result = asyncio.create_task(asyncio.to_thread(in_thread))
            while not working.is_set():
                await asyncio.to_thread(working.wait, 20)
            may_end.set()
            return await result

    assert run(work) == "done"
    assert clock.monotonic() == 0


def test_many_short_threads_never_miss_their_end(run: Run, clock: VirtualClock) -> None:
    async def work() -> None:
        for _ in range(300):
            async with asyncio.timeout(5):
                await asyncio.gather(*(asyncio.to_thread(int) for _ in range(3)))

    run(work)
    assert clock.monotonic() == 0


def test_a_thread_that_takes_too_long_runs_into_its_limit(run: Run, clock: VirtualClock) -> None:
    may_end = threading.Event()

    async def work() -> None:
        async with asyncio.timeout(0.05):
            await asyncio.to_thread(may_end.wait, 20)

    with pytest.raises(TimeoutError):
        run(work)
    may_end.set()
    assert clock.monotonic() == pytest.approx(0.05)


def test_a_thread_that_fails_says_why(run: Run) -> None:
    async def work() -> None:
        await asyncio.to_thread(int, "no number")

    with pytest.raises(ValueError, match="no number"):
        run(work)


def test_over_a_connection_time_is_that_of_the_machine(run: Run) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="real")

    async def work() -> str:
        app = web.Application()
        app.router.add_get("/", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session,
                session.get(f"http://{host}:{port}/") as response,
            ):
                return await response.text()
        finally:
            await runner.cleanup()

    assert run(work) == "real"


@pytest.mark.skipif(sys.platform == "win32", reason="a selector loop there has no processes")
def test_what_a_process_takes_is_no_time(run: Run, clock: VirtualClock) -> None:
    code = "import sys; sys.stdin.read(); sys.stdout.close(); import time; print('', end='')"

    async def work() -> int:
        async with asyncio.timeout(60):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", code, stdin=asyncio.subprocess.PIPE
            )
            await process.communicate(b"")
            shell = await asyncio.create_subprocess_shell("exit 3")
            return await shell.wait()

    assert run(work) == 3
    assert clock.monotonic() == 0
