"""The log hub: one queue for every line, one listener that numbers, stores and publishes them.

May import `model` and `logs` only.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec

from aura_aio.logs.buffer import BUFFER_BYTES, Subscription, portions
from aura_aio.logs.filters import Sorted, chooser
from aura_aio.logs.payload import payloads
from aura_aio.logs.queue import LogQueue
from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.log import LogEntry, LogFilter, LogLine
from aura_aio.model.ports import LogStore

_log = logging.getLogger("aura.logs.hub")

AT_ONCE = 1_024
"""Lines in one transaction at the most: more is hardly cheaper, and holds up for longer what else
the store has to write and the loop has to do."""
FIRST_PAUSE_SEC = 0.1
LONGEST_PAUSE_SEC = 5.0

in_listener: ContextVar[bool] = ContextVar("aura_log_queue_listener", default=False)
"""True for everything that the listener calls: what is logged there must not come back to it."""


class LogCounters(msgspec.Struct, frozen=True):
    """Figures since the start: lines that wait now, lines stored, entries put into buffers of
    monitors and dropped there, own records refused because the queue was full, subscriptions now.
    """

    waiting: int
    stored: int
    published: int
    dropped: int
    refused: int
    monitors: int


class LogHub:
    """Owns the log queue, the listener and the subscriptions; a `LogSink`. Lives on one loop."""

    def __init__(self, store: LogStore, *, clock: Clock, capacity_lines: int = 65_536) -> None:
        self.queue = LogQueue(capacity_lines, clock)
        """Every line's way in; `scheduler.api_log_queue`."""
        self.seq = 0
        """The newest entry that is stored and published."""
        self.oldest_seq = 1
        """The oldest entry that was kept when the store was last asked (see `bounds`)."""
        self._store = store
        self._clock = clock
        self._groups: dict[LogFilter, _Group] = {}
        self._waiters: deque[tuple[int, int, asyncio.Future[None]]] = deque()
        self._heard = 0
        self._news = asyncio.Event()
        self._order = asyncio.Lock()
        self._kept: asyncio.Queue[tuple[int, Sequence[LogEntry]]] = asyncio.Queue(maxsize=1)
        self._storing = False
        self._listener = CoroutineTasks()
        self._closing = False
        self._taken = 0
        self._stored = 0
        self._published = 0
        self._dropped = 0
        self._refused = 0

    async def start(self) -> None:
        """Learn where the numbers stand and begin to listen.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        self.oldest_seq, self.seq = await self._store.bounds()
        self._listener.spawn(self.log_queue_listener())
        self._listener.spawn(self._publish_what_is_kept())
        self._listener.spawn(self._follow_others())

    async def aclose(self, *, grace_sec: float = 5.0) -> None:
        """Store and publish what waits, then end the subscriptions. Idempotent.

        A store that does not answer is waited for `grace_sec` seconds; lines that it has not taken
        by then are lost: that is logged, and their `put` raises StoreUnavailable.
        """
        self._closing = True
        try:
            async with asyncio.timeout(grace_sec):
                while (waiter := self.settled()) is not None:
                    await waiter
        except TimeoutError:
            _log.warning("log store not waited for", extra={"action": "log_store_given_up"})
        await self._listener.aclose()
        await self._give_up()
        for group in self._groups.values():
            for subscription in group.members:
                subscription.close()

    async def _give_up(self) -> None:
        """Let go of every line that is not stored, and of who waits for it."""
        while not self.queue.empty():
            while not self.queue.empty():
                self.queue.get_nowait()
            await asyncio.sleep(0)  # who waited for room puts the rest, to be let go of as well
        if lost := self.queue.accepted - self._taken:
            _log.error("log lines lost", extra={"action": "log_lines_lost", "lines": lost})
            self._taken = self.queue.accepted
        while self._waiters:
            *_, waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(StoreUnavailable("The log was closed before it was stored."))

    def room(self) -> int:
        """How many lines fit into the queue now."""
        return max(0, self.queue.maxsize - self.queue.qsize())

    async def put(self, lines: Sequence[LogLine]) -> None:
        """Return when `lines` are stored and published; waits while the queue is full.

        Who is cancelled while waiting has put the lines that found room, in order; those are stored
        nevertheless.

        Raises:
            StoreUnavailable: the hub is closed, or was before they could be stored.
        """
        if self._closing:
            raise StoreUnavailable("The log is closed.")
        for line in lines:
            if self.queue.full():
                await self.queue.put(line)
            else:  # as nearly always: a coroutine costs more than the line
                self.queue.put_nowait(line)
        if (waiter := self.settled()) is not None:
            await waiter

    def put_at_once(self, lines: Sequence[LogLine]) -> asyncio.Future[None] | None:
        """Take `lines` if there is room for all of them, else None: nothing was taken. The future
        is done once they are stored and published; it raises as `put`.
        """
        if self._closing or not lines or self.room() < len(lines):
            return None
        self.queue.put_all(lines)
        return self.settled()

    def put_nowait(self, line: LogLine) -> bool:
        """Take `line` if there is room; else count it as refused and answer False.

        For the server's own records, which must wait for nothing. On the event loop only.
        """
        if self._closing or self.queue.full():
            self._refused += 1
            return False
        self.queue.put_nowait(line)
        return True

    def settled(self) -> asyncio.Future[None] | None:
        """A future that is done once every line put so far is stored and published, and every entry
        of other servers that was heard of; None if it is so already.
        """
        accepted = self.queue.accepted
        if self._taken >= accepted and self.seq >= self._heard:
            return None
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append((accepted, self._heard, waiter))
        return waiter

    def others_wrote(self, newest_seq: int) -> None:
        """Other servers on the same database have stored entries up to this number: publish them
        here as well.
        """
        if newest_seq > max(self._heard, self.seq):
            self._heard = newest_seq
            self._news.set()

    async def bounds(self) -> tuple[int, int]:
        """(the oldest seq that is kept, the newest seq that is published).

        Raises:
            StoreUnavailable: the store does not answer.
        """
        self.oldest_seq, _ = await self._store.bounds()
        return self.oldest_seq, self.seq

    def subscribe(
        self, where: LogFilter, *, buffer_lines: int, buffer_bytes: int = BUFFER_BYTES
    ) -> Subscription:
        """Deliver everything after the present `seq` that passes `where`.

        The subscriber may lag behind by `buffer_lines` lines and about `buffer_bytes` bytes of JSON
        before entries are dropped for it.
        """
        subscription = Subscription(
            where, start_seq=self.seq, buffer_lines=buffer_lines, buffer_bytes=buffer_bytes
        )
        self._group(where).members.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Deliver nothing more to it. Idempotent."""
        subscription.close()
        group = self._groups.get(subscription.where)
        if group is not None:
            group.members.discard(subscription)
            self._forget_if_empty(group)

    @contextmanager
    def news(self, where: LogFilter) -> Iterator[asyncio.Event]:
        """An event that is set once an entry that passes `where` is published.

        For who reads the entries themselves from the store: nothing is buffered or counted.
        """
        group = self._group(where)
        event = asyncio.Event()
        group.bells.add(event)
        try:
            yield event
        finally:
            group.bells.discard(event)
            self._forget_if_empty(group)

    @property
    def alive(self) -> bool:
        """Whether lines are still taken out of the queue."""
        return not self._listener.died

    @property
    def counters(self) -> LogCounters:
        """The figures for the status."""
        return LogCounters(
            waiting=self.queue.accepted - self._taken,
            stored=self._stored,
            published=self._published,
            dropped=self._dropped,
            refused=self._refused,
            monitors=sum(len(group.members) for group in self._groups.values()),
        )

    async def log_queue_listener(self) -> None:
        """Take all that waits, store it in one transaction, hand it on to be published; for ever.
        So the next lines are on their way to the disk while entries are published.
        """
        in_listener.set(True)
        while True:
            lines = [await self.queue.get()]
            more = min(AT_ONCE - 1, self.queue.qsize())
            lines += [self.queue.get_nowait() for _ in range(more)]
            self._storing = True
            entries = await self._keep(lines)
            self._storing = False
            await self._kept.put((len(lines), entries))

    async def _publish_what_is_kept(self) -> None:
        """Publish what was stored here; for ever."""
        in_listener.set(True)
        while True:
            taken, entries = await self._kept.get()
            if self._storing:
                await asyncio.sleep(0)  # the writer gets the next lines in this turn
            self._stored += len(entries)
            async with self._order:
                await self._publish_in_order(entries)
            self._taken += taken
            self._tell_who_waits()

    async def _follow_others(self) -> None:
        """Publish what other servers have stored; for ever."""
        in_listener.set(True)
        while True:
            await self._news.wait()
            self._news.clear()
            async with self._order:
                await self._catch_up(self._heard)
            self._tell_who_waits()

    async def _publish_in_order(self, entries: Sequence[LogEntry]) -> None:
        """Publish `entries` of this server, and before each those of others that come before it."""
        if not entries:
            return
        if entries[0].seq == self.seq + 1 and entries[-1].seq == self.seq + len(entries):
            self._publish(entries)  # as always where there is one server
        else:
            await self._catch_up(entries[-1].seq)

    async def _catch_up(self, up_to: int) -> None:
        """Publish what is stored up to this number, and was not published yet."""
        while self.seq < up_to:
            if not self._groups:
                self.seq = up_to
                return
            try:
                entries = await self._store.read(
                    LogFilter(), after=self.seq, up_to=up_to, limit=AT_ONCE
                )
            except StoreUnavailable:  # who writes says so
                await self._clock.sleep(FIRST_PAUSE_SEC)
                continue
            self._publish(entries)
            if len(entries) < AT_ONCE:
                self.seq = up_to

    def _tell_who_waits(self) -> None:
        while self._waiters:
            taken, seq, waiter = self._waiters[0]
            if taken > self._taken or seq > self.seq:
                return
            self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)

    async def _keep(self, lines: Sequence[LogLine]) -> Sequence[LogEntry]:
        """Number and store `lines`, however long the store takes to come back.

        A line that the store will not take for another reason is left out, so that it can not hold
        up all others for good.
        """
        pause = 0.0
        while True:
            try:
                entries = await self._store.append(lines)
            except StoreUnavailable as error:
                if not pause:
                    _log.warning(
                        "log store unavailable, lines wait",
                        extra={"action": "log_store_unavailable", "reason": str(error)},
                    )
                pause = min(max(FIRST_PAUSE_SEC, 2 * pause), LONGEST_PAUSE_SEC)
                await self._clock.sleep(pause)
            except Exception:  # a line may break any rule of the store
                if len(lines) > 1:
                    half = len(lines) // 2
                    return [*await self._keep(lines[:half]), *await self._keep(lines[half:])]
                self._refused += 1
                _log.exception("log line refused", extra={"action": "log_line_refused"})
                return ()
            else:
                if pause:
                    _log.info("log store is back", extra={"action": "log_store_back"})
                return entries

    def _group(self, where: LogFilter) -> "_Group":
        group = self._groups.get(where)
        if group is None:
            group = self._groups[where] = _Group(where)
        return group

    def _forget_if_empty(self, group: "_Group") -> None:
        if not group.members and not group.bells:
            del self._groups[group.where]

    def _publish(self, entries: Sequence[LogEntry]) -> None:
        if not entries:
            return
        self.seq = entries[-1].seq
        sorted_ = Sorted(entries)
        spelled = _Spelled() if len(self._groups) > 1 else payloads
        for group in self._groups.values():
            chosen = group.choose(sorted_.of(group.where.cid))
            if not chosen:
                continue
            for bell in group.bells:
                bell.set()
            for portion in portions(chosen, spelled) if group.members else ():
                for subscription in group.members:
                    dropped = subscription.offer(portion)
                    self._dropped += dropped
                    self._published += len(portion) - dropped


class _Group:
    """Who asked for one filter: what passes it is picked once, and serialised once, for all."""

    def __init__(self, where: LogFilter) -> None:
        self.where = where
        self.choose = chooser(where)
        self.members: set[Subscription] = set()
        self.bells: set[asyncio.Event] = set()


class _Spelled:
    """The payloads of entries, each of which is spelled when it is first asked for."""

    def __init__(self) -> None:
        self._texts: dict[int, bytes] = {}

    def __call__(self, entries: Sequence[LogEntry]) -> list[bytes]:
        texts = self._texts
        new = [entry for entry in entries if entry.seq not in texts]
        for entry, text in zip(new, payloads(new), strict=True):
            texts[entry.seq] = text
        return [texts[entry.seq] for entry in entries]
