"""The wire types of the link between server and worker, and how they are framed.

May import msgspec, run_settings and `model` only; both ends import this and nothing else of each
other.

A packet is 4 bytes of length (big-endian) and a msgpack array of frames: what one turn of the
event loop has to say travels in one write.
"""

import struct
from asyncio import IncompleteReadError, StreamReader, StreamWriter, get_running_loop
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from aura_aio.model.children import ChildEnd, ChildRequest
from aura_aio.model.event import EventWait, RunEnded
from aura_aio.model.log import LogLine
from aura_aio.model.plan import ActionSpec, Definition
from aura_aio.model.run import Outcome, StepRecord, Tasklet
from aura_aio.run_settings import RunSettings

MAX_PACKET_BYTES: Final = 256 * 1024 * 1024
LOG_BATCH_LINES: Final = 256
SOON_TURNS: Final = 3
"""From the end of a run's last step to the end of the run: the two are one packet then."""


class Launch(msgspec.Struct, frozen=True):
    """The line on a worker's standard input; `memory_bytes` is the worker's limit, 0 for none."""

    port: int
    secret: str
    memory_bytes: int


class PlanActions(msgspec.Struct, frozen=True):
    """Where a worker finds the actions of a plan; `root` is the plan's folder, `digest` that of the
    plan as it is loaded.
    """

    plan_name: str
    root: str
    actions: tuple[ActionSpec, ...]
    digest: str = ""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Worker → server, first: the secret that it was started with."""

    secret: str
    pid: int


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """Server → worker, the answer: all that it needs to know.

    `log_credit` is how many log lines it may send before credit comes back; `stall_sec` how long
    an async action may hold the loop; `allow_shell` whether tasks may run programs; `secrets` are
    those of templates, by name; `allowed` is what a run may use.
    """

    worker: str
    slots: int
    data_dir: str
    log_credit: int
    stall_sec: float
    allow_shell: bool
    plans: tuple[PlanActions, ...]
    secrets: dict[str, str]
    allowed: RunSettings = RunSettings()


class Define(msgspec.Struct, frozen=True, tag="define"):
    """Server → worker, before the first run of a definition."""

    definition: Definition


class Start(msgspec.Struct, frozen=True, tag="start"):
    """Server → worker: begin this attempt; `hidden` is what was sealed (`model.sealing`)."""

    tasklet: Tasklet
    hidden: bytes | None = None


class Earlier(msgspec.Struct, frozen=True, tag="earlier"):
    """Server → worker, before the start of an attempt that goes on from an earlier one: a step that
    is finished, once for each.
    """

    record: StepRecord


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Server → worker: end this attempt; its actions may take `grace_sec` to end by themselves."""

    cid: str
    attempt: int
    grace_sec: float


class Credit(msgspec.Struct, frozen=True, tag="credit"):
    """Server → worker: so many more log lines are stored."""

    lines: int


class Steps(msgspec.Struct, frozen=True, tag="steps"):
    """Worker → server: steps that began or ended, in order."""

    records: tuple[StepRecord, ...]


class Sync(msgspec.Struct, frozen=True, tag="sync"):
    """Worker → server: say so (with this number) when all steps reported so far are on disk."""

    number: int


class Synced(msgspec.Struct, frozen=True, tag="synced"):
    """Server → worker: all steps that were reported before this Sync are on disk."""

    number: int


class RunChild(msgspec.Struct, frozen=True, tag="run_child"):
    """Worker → server: start a child run; the answers come with this number."""

    number: int
    request: ChildRequest


class DropChild(msgspec.Struct, frozen=True, tag="drop_child"):
    """Worker → server: nobody waits for that child any more, cancel it."""

    number: int


class ChildStarted(msgspec.Struct, frozen=True, tag="child_started"):
    """Server → worker: the child is on disk, since now or from an earlier attempt."""

    number: int
    cid: str


class ChildRefused(msgspec.Struct, frozen=True, tag="child_refused"):
    """Server → worker: there is no child; a sentence says why."""

    number: int
    reason: str


class ChildEnded(msgspec.Struct, frozen=True, tag="child_ended"):
    """Server → worker, after ChildStarted, if the child is waited for: it has ended."""

    number: int
    end: ChildEnd


class WaitForEvent(msgspec.Struct, frozen=True, tag="wait_for_event"):
    """Worker → server: a step waits for an event; the answer comes with this number."""

    number: int
    wanted: EventWait


class DropWait(msgspec.Struct, frozen=True, tag="drop_wait"):
    """Worker → server: nobody waits for that event any more."""

    number: int


class EventCame(msgspec.Struct, frozen=True, tag="event_came"):
    """Server → worker: this is the event."""

    number: int
    event: RunEnded


class WaitRefused(msgspec.Struct, frozen=True, tag="wait_refused"):
    """Server → worker: that event cannot come; a sentence says why."""

    number: int
    reason: str


class Logs(msgspec.Struct, frozen=True, tag="logs"):
    """Worker → server: log lines, in order; each costs one credit."""

    lines: tuple[LogLine, ...]


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """Worker → server: how far a run has come, from 0 to 1."""

    cid: str
    fraction: float
    message: str


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """Worker → server: an attempt has ended; all its log lines were sent before."""

    outcome: Outcome


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """Worker → server, every second: the loop turns."""


class Spent(msgspec.Struct, frozen=True, tag="spent"):
    """Worker → server: it was left with something that cannot be stopped; replace it."""

    reason: str


ToChildCalls = ChildStarted | ChildRefused | ChildEnded
ToEventCalls = EventCame | WaitRefused
ToCalls = ToChildCalls | ToEventCalls
FromCalls = RunChild | DropChild | WaitForEvent | DropWait
ToWorker = Welcome | Define | Earlier | Start | Cancel | Credit | Synced | ToCalls
ToServer = Hello | Steps | Sync | FromCalls | Logs | Progress | Finished | Heartbeat | Spent

_LENGTH = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()
_to_worker = msgspec.msgpack.Decoder(tuple[ToWorker, ...])
_to_server = msgspec.msgpack.Decoder(tuple[ToServer, ...])


def encode_packets(
    frames: Sequence[ToWorker] | Sequence[ToServer], *, most_bytes: int = MAX_PACKET_BYTES
) -> bytes:
    """The packet of `frames`, ready to be written; several, if one were longer than allowed."""
    body = _encoder.encode(frames)
    if len(body) <= most_bytes or len(frames) == 1:
        return _LENGTH.pack(len(body)) + body
    half = len(frames) // 2
    return encode_packets(frames[:half], most_bytes=most_bytes) + encode_packets(
        frames[half:], most_bytes=most_bytes
    )


async def read_for_worker(reader: StreamReader) -> tuple[ToWorker, ...]:
    """The next packet of the server; empty at the end of the link."""
    body = await _read_body(reader)
    return _to_worker.decode(body) if body else ()


async def read_for_server(reader: StreamReader) -> tuple[ToServer, ...]:
    """The next packet of a worker; empty at the end of the link."""
    body = await _read_body(reader)
    return _to_server.decode(body) if body else ()


async def _read_body(reader: StreamReader) -> bytes:
    try:
        head = await reader.readexactly(_LENGTH.size)
        (length,) = _LENGTH.unpack(head)
        if length > MAX_PACKET_BYTES:
            raise ConnectionError(f"a packet of {length} bytes is over the limit")
        return await reader.readexactly(length)
    except (IncompleteReadError, ConnectionResetError):
        return b""


class FrameWriter:
    """Sends frames; those of one turn of the event loop travel as one packet, with what was sent
    before and can wait.
    """

    def __init__(self, writer: StreamWriter) -> None:
        self._writer = writer
        self._loop = get_running_loop()
        self._waiting: list[Any] = []
        self._leaves = False

    def send(self, frame: ToWorker | ToServer) -> None:
        """Send `frame` with this turn's packet, after those sent before; lost if the link is."""
        if not self._leaves:
            self._leaves = True
            self._loop.call_soon(self.flush)
        self._waiting.append(frame)

    def send_soon(self, frame: ToWorker | ToServer) -> None:
        """As `send`, but for `SOON_TURNS` more turns it may wait for others to travel with."""
        if not self._waiting:
            self._loop.call_soon(self._flush_in, SOON_TURNS)
        self._waiting.append(frame)

    def replace(self, frame: ToWorker | ToServer, by: ToWorker | ToServer) -> bool:
        """Send `by` in place of `frame`; False if that has left already."""
        for index in range(len(self._waiting) - 1, -1, -1):
            if self._waiting[index] is frame:
                self._waiting[index] = by
                return True
        return False

    def flush(self) -> None:
        """Write what waits now."""
        if self._waiting and not self._writer.is_closing():
            self._writer.write(encode_packets(self._waiting))
        self._waiting = []
        self._leaves = False

    def _flush_in(self, turns: int) -> None:
        if turns and self._waiting:
            self._loop.call_soon(self._flush_in, turns - 1)
        else:
            self.flush()

    def cut(self) -> None:
        """Close the link without what waits."""
        self._writer.transport.abort()

    async def aclose(self) -> None:
        """Write what waits, let it leave, and close the link."""
        self.flush()
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
