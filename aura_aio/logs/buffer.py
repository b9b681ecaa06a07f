"""What a subscriber is given, and the bounded buffer that it waits in.

May import `model` and `logs.payload` only.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import msgspec

from aura_aio.logs.payload import payloads
from aura_aio.model.log import LogEntry, LogFilter
from aura_aio.model.states import RunState

PORTION_LINES = 256
PORTION_BYTES = 64 * 1024
BUFFER_BYTES = 16 * 1024 * 1024
_SPELLED_AT_ONCE = 64
"""Entries: of large ones little is spelled before it is needed."""


class Portion:
    """Entries in order, serialised; one object is shared by all who get the same entries.

    `seqs` and `payloads` (UTF-8 JSON) run in parallel; `size` is the sum of the payloads in bytes.
    """

    __slots__ = ("_forms", "payloads", "seqs", "size")

    def __init__(self, seqs: tuple[int, ...], payloads: tuple[bytes, ...]) -> None:
        self.seqs = seqs
        self.payloads = payloads
        self.size = sum(map(len, payloads))
        self._forms: dict[Callable[[tuple[bytes, ...]], bytes], bytes] = {}

    def __len__(self) -> int:
        return len(self.seqs)

    def as_form(self, form: Callable[[tuple[bytes, ...]], bytes]) -> bytes:
        """`form(payloads)`, worked out once for all who share the portion."""
        made = self._forms.get(form)
        if made is None:
            made = self._forms[form] = form(self.payloads)
        return made

    def first(self, lines: int) -> "Portion":
        """The first `lines` entries."""
        return Portion(self.seqs[:lines], self.payloads[:lines])


class Dropped(msgspec.Struct, frozen=True):
    """`count` entries of the subscription, the first `from_seq` and the last `to_seq`, were lost
    to it alone: they can be read from the store.
    """

    from_seq: int
    to_seq: int
    count: int


class RunEnded(msgspec.Struct, frozen=True):
    """The run has finished, and every entry of it stands before this; the last of its items."""

    cid: str
    status: RunState


Item = Portion | Dropped | RunEnded


def portions(
    entries: Sequence[LogEntry],
    spelled: Callable[[Sequence[LogEntry]], Sequence[bytes]] = payloads,
) -> Iterator[Portion]:
    """`entries` as they are `spelled`, in pieces of at the most PORTION_LINES lines and about
    PORTION_BYTES bytes: small enough to write at once, large enough to be worth a write.
    """
    seqs: list[int] = []
    texts: list[bytes] = []
    size = 0
    for start in range(0, len(entries), _SPELLED_AT_ONCE):
        piece = entries[start : start + _SPELLED_AT_ONCE]
        for entry, text in zip(piece, spelled(piece), strict=True):
            seqs.append(entry.seq)
            texts.append(text)
            size += len(text)
            if size >= PORTION_BYTES or len(seqs) >= PORTION_LINES:
                yield Portion(tuple(seqs), tuple(texts))
                seqs, texts, size = [], [], 0
    if seqs:
        yield Portion(tuple(seqs), tuple(texts))


class Subscription:
    """One subscriber's part of the stream: a filter, and a buffer bounded in lines and bytes.

    Everything happens on the event loop: the hub offers, one coroutine at a time waits in
    `next_batch`. Once entries were dropped, more are dropped until half of the buffer is free: a
    slow subscriber then gets long stretches and few gaps.
    """

    def __init__(
        self,
        where: LogFilter,
        *,
        start_seq: int,
        buffer_lines: int,
        buffer_bytes: int = BUFFER_BYTES,
    ) -> None:
        self.where = where
        self.start_seq = start_seq
        """Everything after it that passes the filter is delivered or told as dropped."""
        self.dropped = 0
        self._max_lines = buffer_lines
        self._max_bytes = buffer_bytes
        self._items: deque[Item] = deque()
        self._lines = 0
        self._bytes = 0
        self._closed = False
        self._ready = asyncio.Event()

    @property
    def waiting_lines(self) -> int:
        """How many lines the buffer holds."""
        return self._lines

    def offer(self, portion: Portion) -> int:
        """Take what fits and note the rest as dropped; answers how many entries were dropped."""
        if self._closed:
            return 0
        fits, lines = self._room(), len(portion)
        if fits > 0:
            kept = portion if fits >= lines else portion.first(fits)
            self._items.append(kept)
            self._lines += len(kept)
            self._bytes += kept.size
        if fits < lines:
            self._drop(portion.seqs[fits], portion.seqs[-1], lines - fits)
        self._ready.set()
        return max(0, lines - fits)

    def finish(self, ended: RunEnded) -> None:
        """Put `ended` behind everything offered so far, and take nothing more. Idempotent."""
        if not self._closed:
            self._items.append(ended)
            self.close()

    def close(self) -> None:
        """Take nothing more. What waits can still be had from `next_batch`."""
        self._closed = True
        self._ready.set()

    async def next_batch(self) -> tuple[Item, ...]:
        """The next items in order; waits for the first.

        Several only while they are PORTION_BYTES together at the most: who writes them at once
        copies them, and a large portion is better written as it is, since all share that.

        Empty when the subscription is closed and everything was taken.
        """
        while not self._items:
            if self._closed:
                return ()
            self._ready.clear()
            await self._ready.wait()
        batch = [self._take()]
        size = _size(batch[0])
        while self._items and (size := size + _size(self._items[0])) <= PORTION_BYTES:
            batch.append(self._take())
        return tuple(batch)

    def _take(self) -> Item:
        item = self._items.popleft()
        if isinstance(item, Portion):
            self._lines -= len(item)
            self._bytes -= item.size
        return item

    def _room(self) -> int:
        lost = bool(self._items) and isinstance(self._items[-1], Dropped)
        share = 2 if lost else 1
        if self._lines > self._max_lines // share or self._bytes >= self._max_bytes // share:
            return 0
        return self._max_lines - self._lines

    def _drop(self, from_seq: int, to_seq: int, count: int) -> None:
        self.dropped += count
        last = self._items[-1] if self._items else None
        if isinstance(last, Dropped):
            self._items[-1] = Dropped(last.from_seq, to_seq, last.count + count)
        else:
            self._items.append(Dropped(from_seq, to_seq, count))


def _size(item: Item) -> int:
    """Bytes of entries."""
    return item.size if isinstance(item, Portion) else 0
