"""The fork server: what its children get from it and from who asks, and what is left without it.

Imports pytest, aura_aio's processes, and the tests' own parts.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from aura_aio.processes.spawning import SpawnedProcess
from aura_aio.processes.tree import StartProcess
from tests.engine.processes import is_gone
from tests.forking import ForkServer, shared_fork_server
from tests.waiting import until_sync

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is none but on Linux")

PROBE = "tests.processes.forked_probe"


@pytest.fixture
def server() -> Iterator[ForkServer]:
    with ForkServer.started() as server:
        yield server


class Probe:
    """A process of `PROBE` and its pipes."""

    def __init__(self, start: StartProcess, **options: Any) -> None:
        self.process = start(PROBE, **options)
        self.pid = self.process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.how_it_ended()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def answer(self, word: str) -> str:
        """What it answers to a word."""
        self.process.stdin.write(f"{word}\n".encode())
        return self.process.stdout.readline().decode().strip()

    def how_it_ended(self) -> str:
        """How it ended, once it has."""
        assert self.process.ended.wait(20)
        return self.process.how_it_ended()


def asked_by(server: ForkServer, code: str) -> "subprocess.CompletedProcess[str]":
    """How a program ends, and what it prints, that has `process`, which `server` made for it."""
    number = server.orders.fileno()
    beginning = (
        "import os, resource, sys; from pathlib import Path; from socket import socket\n"
        "from aura_aio.processes.forking import Forks\n"
        f"start = lambda: Forks(socket(fileno={number}))({PROBE!r})\n"
    )
    return subprocess.run(
        [sys.executable, "-c", beginning + code],
        pass_fds=[number],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_child_has_what_it_was_given_and_nothing_else(server: ForkServer) -> None:
    with Probe(server.start), Probe(server.start) as child, Probe(SpawnedProcess) as usual:
        described = json.loads(child.answer("describe"))
        expected = json.loads(usual.answer("describe"))
        assert (described.pop("pid"), described.pop("parent")) == (child.pid, server.pid)
        assert (expected.pop("pid"), expected.pop("parent")) == (usual.pid, os.getpid())
        assert described == expected


def test_a_child_is_limited_as_who_asked_for_it(server: ForkServer) -> None:
    done = asked_by(
        server,
        "resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, -1))\n"
        "Path('/proc/self/oom_score_adj').write_text('777')\n"
        "process = start()\n"
        "process.stdin.write(b'limits\\n'); print(process.stdout.readline().decode())\n",
    )
    assert json.loads(done.stdout) == {"data": [2 << 30, -1], "oom_score_adj": 777}, done.stderr


@pytest.mark.parametrize(
    ("word", "how"),
    [
        ("exit", "ended with exit code 0"),
        ("exit 3", "ended with exit code 3"),
        ("raise", "ended with exit code 1"),
        ("segv", "was ended by SIGSEGV"),
    ],
)
def test_how_a_child_ended_is_told(word: str, how: str) -> None:
    told: list[str] = []
    with Probe(shared_fork_server(), on_end=told.append) as child:
        child.answer(word)
        assert child.how_it_ended() == how
        until_sync(lambda: told == [how])


def test_what_a_child_left_behind_ends_with_it(server: ForkServer) -> None:
    with Probe(server.start) as child:
        left = int(child.answer("leave a program"))
        assert not is_gone(left)
        child.answer("exit")
        assert child.how_it_ended() == "ended with exit code 0"
        until_sync(lambda: is_gone(left))


def test_a_child_ends_with_who_asked_for_it(server: ForkServer) -> None:
    done = asked_by(server, "print(start().pid, flush=True); os.kill(os.getpid(), 9)")
    assert done.returncode == -signal.SIGKILL, done.stderr
    until_sync(lambda: is_gone(int(done.stdout)))


def test_children_end_with_the_fork_server(server: ForkServer) -> None:
    with Probe(server.start) as child:
        assert child.answer("hold on") == "held"
        server.kill()
        assert child.how_it_ended() == "ended, and nobody saw how"
        until_sync(lambda: is_gone(child.pid))


def test_a_child_that_ends_while_it_is_sent_a_signal_harms_no_other(server: ForkServer) -> None:
    with Probe(server.start) as child, Probe(server.start) as other:
        os.kill(server.pid, signal.SIGSTOP)  # so that it hears of both at once
        until_sync(lambda: "\nState:\tT" in Path(f"/proc/{server.pid}/status").read_text())
        os.kill(child.pid, signal.SIGKILL)
        until_sync(lambda: is_gone(child.pid))
        child.process.terminate()
        os.kill(server.pid, signal.SIGCONT)
        assert child.how_it_ended().startswith("was ended by SIGKILL")
        with Probe(server.start) as later:
            assert json.loads(later.answer("describe"))["parent"] == server.pid
        assert other.answer("hold on") == "held"


def test_without_it_processes_are_spawned(server: ForkServer) -> None:
    server.kill()
    with Probe(server.start) as child:
        assert json.loads(child.answer("describe"))["parent"] == os.getpid()


def test_what_is_no_order_does_no_harm(server: ForkServer) -> None:
    server.orders.send(b"\xff" * 4096)
    server.orders.send(b"1 no.such.module")
    with Probe(server.start) as child:
        assert child.answer("hold on") == "held"


async def test_a_signal_that_is_sent_at_once_from_an_event_loop_is_not_lost() -> None:
    for _ in range(10):
        with await asyncio.to_thread(Probe, shared_fork_server()) as child:
            child.process.terminate()
            assert await asyncio.to_thread(child.how_it_ended) == "was ended by SIGTERM"
