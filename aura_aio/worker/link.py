"""The server's end of the link to one worker.

May import `worker.frames` and `model` only.
"""

from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Sequence

from aura_aio.model.children import ChildEnd
from aura_aio.model.event import RunEnded
from aura_aio.model.plan import Definition
from aura_aio.model.run import StepRecord, Tasklet
from aura_aio.worker.frames import (
    Cancel,
    ChildEnded,
    ChildRefused,
    ChildStarted,
    Credit,
    Define,
    Earlier,
    EventCame,
    FrameWriter,
    Hello,
    Start,
    Synced,
    ToServer,
    WaitRefused,
    Welcome,
    read_for_server,
)


class Link:
    """One worker as the server sees it: what is sent to it, and the packets that come from it."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._frames = FrameWriter(writer)
        self._defined: set[str] = set()

    async def hello(self) -> Hello | None:
        """The first frame of the worker; None if what connected is no worker."""
        packet = await read_for_server(self._reader)
        first = packet[0] if packet else None
        return first if isinstance(first, Hello) else None

    def welcome(self, welcome: Welcome) -> None:
        """Tell the worker all that it needs to begin."""
        self._frames.send(welcome)

    def start(
        self,
        tasklet: Tasklet,
        definition: Definition,
        finished: Sequence[StepRecord] = (),
        hidden: bytes | None = None,
    ) -> None:
        """Hand over an attempt, and its definition if the worker has not got it yet; `finished` are
        the steps that are not to run again, `hidden` is what was sealed (`model.sealing`).
        """
        if definition.digest not in self._defined:
            self._defined.add(definition.digest)
            self._frames.send(Define(definition))
        for record in finished:
            self._frames.send(Earlier(record))
        self._frames.send(Start(tasklet, hidden))

    def flush(self) -> None:
        """Let what was sent in this turn of the loop leave now: a worker waits for it."""
        self._frames.flush()

    def cancel(self, cid: str, attempt: int, grace_sec: float) -> None:
        """Ask for the end of an attempt."""
        self._frames.send(Cancel(cid, attempt, grace_sec))

    def synced(self, number: int) -> None:
        """All steps that were reported before that Sync are on disk."""
        self._frames.send(Synced(number))

    def child_started(self, number: int, cid: str) -> None:
        """The child run that was asked for with this number is on disk."""
        self._frames.send(ChildStarted(number, cid))

    def child_refused(self, number: int, reason: str) -> None:
        """There is no child run for this number."""
        self._frames.send(ChildRefused(number, reason))

    def child_ended(self, number: int, end: ChildEnd) -> None:
        """The child run of this number has ended."""
        self._frames.send(ChildEnded(number, end))

    def event_came(self, number: int, event: RunEnded) -> None:
        """The event that is waited for with this number has come."""
        self._frames.send(EventCame(number, event))

    def wait_refused(self, number: int, reason: str) -> None:
        """The event that is waited for with this number cannot come."""
        self._frames.send(WaitRefused(number, reason))

    def give_credit(self, lines: int) -> None:
        """Let the worker send so many more log lines."""
        self._frames.send(Credit(lines))

    async def packets(self) -> AsyncIterator[tuple[ToServer, ...]]:
        """What the worker sends, packet by packet, until the link ends."""
        while packet := await read_for_server(self._reader):
            yield packet

    def cut(self) -> None:
        """End the link at once: `packets` gives no more."""
        self._frames.cut()

    async def aclose(self) -> None:
        """Close the link; the worker ends at once when it sees that."""
        await self._frames.aclose()
