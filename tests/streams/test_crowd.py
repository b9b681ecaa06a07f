"""A crowd at the log stream of a server in a process of its own.

Imports aiohttp, the server that tests.server_process offers, and the monitors of tests.streams.
"""

import asyncio
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector

from tests.server_process import ServerProcess, server_process
from tests.serving import write_plan
from tests.streams.clients import BareMonitor, account
from tests.waiting import until

if sys.platform != "linux":
    pytest.skip("asks /proc what a process has", allow_module_level=True)

import resource

pytestmark = pytest.mark.timeout(300)

LINES = 50_000
AT_ONCE = 5_000
"""Lines in one run: fewer than the buffer of a monitor holds, for it may be slower than the run."""
MIB = 1024 * 1024
SEQ = re.compile(rb'\{"seq":(\d+),')
TASK = "steps: {talk: {action: chatter, params: {lines: '{{ inputs.lines }}'}}}\n"
INPUTS = "meta: {inputs: [{name: lines, type: integer}]}\n"
ACTIONS = """
import asyncio
from aura_aio import ActionContext, action

@action
async def chatter(lines: int, context: ActionContext) -> None:
    for number in range(lines):
        context.log(f"line {number}")
        if number % 100 == 0:
            await asyncio.sleep(0)
"""


@contextmanager
def open_files(count: int) -> Iterator[None]:
    """This process, and what it starts, may have so many files open."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Crowd:
    """Monitors that read as fast as they can; `seqs` are those that each was given."""

    def __init__(self, url: str, session: ClientSession, group: asyncio.TaskGroup) -> None:
        self.seqs: list[list[int]] = []
        self._url = url
        self._session = session
        self._group = group
        self._known: dict[bytes, list[int]] = {}

    async def connect(self, count: int, **query: str) -> None:
        """`count` more monitors, live."""
        for _ in range(count):
            monitor = await self._session.ws_connect(
                self._url, params=query, max_msg_size=0, decode_text=False
            )
            for kind in (b'{"type":"hello"', b'{"type":"caught_up"'):
                assert (await monitor.receive(timeout=10)).data.startswith(kind)
            self.seqs.append([])
            self._group.create_task(self._read(monitor, self.seqs[-1]))

    async def reached(self, last: int) -> None:
        """Return when each monitor was given the entry `last`."""
        await until(lambda: all(seqs and seqs[-1] >= last for seqs in self.seqs), within=100)

    async def _read(
        self, monitor: ClientWebSocketResponse[Literal[False]], seqs: list[int]
    ) -> None:
        async for message in monitor:
            seqs += self._seqs_of(message.data)

    def _seqs_of(self, frame: bytes) -> list[int]:
        """Most monitors are sent the same frames, and one look at each is enough."""
        seqs = self._known.get(frame)
        if seqs is None:
            kind = frame[:15]
            if kind == b'{"type":"bye","':
                return []
            assert kind in (b'{"type":"log","', b'{"type":"logs",'), frame[:200]
            seqs = self._known[frame] = [int(found) for found in SEQ.findall(frame)]
        return seqs


def memory(server: ServerProcess, field: str) -> int:
    """Bytes that the process has now (`VmRSS`), or had at the most (`VmHWM`)."""
    status = Path(f"/proc/{server.process.pid}/status").read_text("ascii")
    (kibibytes,) = re.findall(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kibibytes) * 1024


def forget_peak(server: ServerProcess) -> None:
    """What the process had at the most counts from now on."""
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5", "ascii")


async def newest_seq(server: ServerProcess) -> int:
    """The entry that a monitor that connects now would begin after."""
    async with server.session.ws_connect(f"{server.url}/ws/logs") as monitor:
        seq: int = (await monitor.receive_json(timeout=10))["payload"]["seq"]
        return seq


def plans(folder: Path) -> str:
    """The folder, with a plan that talks."""
    write_plan(folder, "talk", {"chat": INPUTS + TASK}, ACTIONS)
    return str(folder)


async def a_byte_a_second(monitor: BareMonitor, over: asyncio.Event) -> None:
    """Read so until it is over."""
    while not over.is_set():
        await monitor.receive(1)
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), 1)


def accounted(seqs: Iterable[int], dropped: Iterable[dict[str, int]]) -> list[int]:
    """All seqs that a monitor was given or told of as dropped."""
    told = [seq for each in dropped for seq in range(each["from_seq"], each["to_seq"] + 1)]
    return sorted([*seqs, *told])


async def test_200_monitors_four_of_them_slow(tmp_path: Path) -> None:
    """Each healthy one gets every entry once and in order, each slow one is told exactly what it
    missed, and the server needs no more than 32 MiB for all of them.
    """
    async with (
        server_process(tmp_path / "data", plans(tmp_path / "plans"), "--workers", "1") as server,
        ClientSession(connector=TCPConnector(limit=0)) as session,
        asyncio.TaskGroup() as group,
    ):
        await server.done("talk", "chat", inputs={"lines": 1_000})
        async with session.get(f"{server.url}/api/runs?limit=none") as refused:
            assert refused.status == 422  # what judges such requests is in memory from now on
        idle = memory(server, "VmRSS")
        crowd = Crowd(f"{server.url}/ws/logs", session, group)
        await crowd.connect(193, batch="1")
        await crowd.connect(3)
        port = int(server.url.rpartition(":")[2])
        *silent, slow = [await BareMonitor.connect(port) for _ in range(4)]
        over = asyncio.Event()
        group.create_task(a_byte_a_second(slow, over))
        forget_peak(server)
        first = last = await newest_seq(server) + 1
        while last - first < LINES:
            await server.done("talk", "chat", inputs={"lines": AT_ONCE})
            last = await newest_seq(server)
            await crowd.reached(last)
        assert memory(server, "VmHWM") - idle < 32 * MIB
        over.set()
        assert all(seqs == list(range(first, last + 1)) for seqs in crowd.seqs)
        for monitor in (*silent, slow):
            monitor.checks = False
            seqs, dropped = await account(monitor, last)
            assert dropped
            assert accounted(seqs, dropped) == list(range(first, last + 1))
            monitor.close()
        assert await server.terminate() == 0


async def test_a_thousand_monitors_and_few_files(tmp_path: Path) -> None:
    """Each is given every entry, though a process may open fewer files than that by default."""
    async with AsyncExitStack() as stack:
        data, plan = tmp_path / "data", plans(tmp_path / "plans")
        with open_files(256):
            server = await stack.enter_async_context(server_process(data, plan, "--workers", "1"))
        stack.enter_context(open_files(4_096))
        connector = TCPConnector(limit=0)
        session = await stack.enter_async_context(ClientSession(connector=connector))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        await server.done("talk", "chat", inputs={"lines": 1})
        crowd = Crowd(f"{server.url}/ws/logs", session, group)
        await crowd.connect(1_000, batch="1")
        first = await newest_seq(server) + 1
        await server.done("talk", "chat", inputs={"lines": AT_ONCE})
        last = await newest_seq(server)
        await crowd.reached(last)
        assert all(seqs == list(range(first, last + 1)) for seqs in crowd.seqs)
        assert await server.terminate() == 0
