"""How a program of a peer is asked, and how its workers tell that an action has begun.

Imports the standard library only. On the standard input come lines like `noop 10000`; each is
answered with a line of JSON on the standard output, where nothing else may write.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

WORKERS: Final = 2
"""Processes, as many as the machine has that the bars are about."""
SUBMITTERS: Final = 16
"""Threads that submit side by side, where a client of the peer waits for an answer."""
ASK_EACH_SEC: Final = 0.002
_BELL: Final = "BENCH_BELL"
_PATIENCE_SEC: Final = 300


class Bell:
    """Where the first line of an action arrives: a datagram, which is as cheap as can be."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(_PATIENCE_SEC)
        os.environ[_BELL] = str(self._socket.getsockname()[1])

    def wait(self) -> None:
        """Return when it was rung."""
        self._socket.recv(16)


_outgoing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def ring() -> None:
    """Tell the client that the action has begun."""
    _outgoing.sendto(b"!", ("127.0.0.1", int(os.environ[_BELL])))


def times(submit: Callable[[], object], bell: Bell, count: int) -> list[float]:
    """Seconds from each of so many submits, one at a time, to its bell."""
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        submit()
        bell.wait()
        taken.append(time.perf_counter() - began)
        time.sleep(0.01)  # what the one before leaves to do is done
    return taken


def seconds(submit: Callable[[], object], is_over: Callable[[], bool], count: int) -> float:
    """From the first of so many submits to the last end, as a client sees it."""
    began = time.perf_counter()
    with ThreadPoolExecutor(SUBMITTERS) as threads:
        for done in [threads.submit(submit) for _ in range(count)]:
            done.result()
    wait_until(is_over)
    return time.perf_counter() - began


async def times_of_coroutines(
    submit: Callable[[], Awaitable[object]], bell: Bell, count: int
) -> list[float]:
    """`times` with a client that is asynchronous."""
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        await submit()
        await asyncio.to_thread(bell.wait)
        taken.append(time.perf_counter() - began)
        await asyncio.sleep(0.01)
    return taken


async def seconds_of_coroutines(
    submit: Callable[[], Awaitable[object]], is_over: Callable[[], Awaitable[bool]], count: int
) -> float:
    """`seconds` with a client that is asynchronous."""
    began = time.perf_counter()
    left = iter(range(count))

    async def submit_each() -> None:
        for _ in left:
            await submit()

    await asyncio.gather(*(submit_each() for _ in range(SUBMITTERS)))
    async with asyncio.timeout(_PATIENCE_SEC):
        while not await is_over():  # noqa: ASYNC110 - as a client sees it: it has to ask
            await asyncio.sleep(ASK_EACH_SEC)
    return time.perf_counter() - began


def wait_until(is_over: Callable[[], bool]) -> None:
    """Return when it is so.

    Raises:
        TimeoutError: it never is.
    """
    deadline = time.monotonic() + _PATIENCE_SEC
    while not is_over():
        if time.monotonic() > deadline:
            raise TimeoutError("the runs do not end")
        time.sleep(ASK_EACH_SEC)


@contextmanager
def workers(command: Sequence[str], count: int = WORKERS) -> Iterator[None]:
    """So many processes of `command` at work."""
    with ExitStack() as stack:
        for _ in range(count):
            process = stack.enter_context(subprocess.Popen(command, stdout=sys.stderr))
            stack.callback(process.terminate)
        yield


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that goes with the program."""
    with TemporaryDirectory(prefix="aura-peer-") as name:
        yield Path(name)


def serve(noop: Callable[[int], float], latency: Callable[[int], Sequence[float]]) -> None:
    """Answer until the standard input ends; first, that all is ready."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # what a library prints must not come between
        print(json.dumps("ready"), file=answers, flush=True)
        for line in sys.stdin:
            what, count = line.split()
            answer = noop(int(count)) if what == "noop" else latency(int(count))
            print(json.dumps(answer), file=answers, flush=True)
