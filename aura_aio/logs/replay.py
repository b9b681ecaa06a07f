"""Entries of the past: from the store, until the live stream is near.

May import `model` and `logs` only.
"""

from collections.abc import Awaitable, Callable

from aura_aio.logs.buffer import Portion, portions
from aura_aio.logs.hub import LogHub
from aura_aio.model.log import LogFilter
from aura_aio.model.ports import LogStore

PAGE_LINES = 1_000
_WIDEST_LOOK = 16_384

Send = Callable[[Portion], Awaitable[None]]


async def replay(store: LogStore, where: LogFilter, *, after: int, up_to: int, send: Send) -> None:
    """Send every stored entry with `after` < seq ≤ `up_to` that passes `where`, in order.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    while after < up_to:
        page = await store.read(where, after=after, up_to=up_to, limit=PAGE_LINES)
        for portion in portions(page):
            await send(portion)
        after = page[-1].seq if len(page) == PAGE_LINES else up_to


async def approach(
    hub: LogHub, store: LogStore, where: LogFilter, *, after: int, near: int, send: Send
) -> int:
    """Replay from `after` on until the live stream is at the most `near` entries ahead; answers
    the seq up to which everything was sent.

    On return, and until the next await of the caller, that distance holds: subscribe then, and
    replay the rest up to the subscription's `start_seq`. A subscriber who is slower than the log
    grows stays in here, at its own pace, and loses nothing.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    while (newest := hub.seq) - after > near:
        await replay(store, where, after=after, up_to=newest, send=send)
        after = newest
    return after


async def before_the_last(
    store: LogStore, where: LogFilter, *, count: int, oldest: int, newest: int
) -> int:
    """The seq after which the last `count` entries that pass `where` stand, as of `newest`.

    Looks back in stretches that widen: as little is read as the filter allows.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    end, width, missing = newest, max(count, PAGE_LINES), count
    while missing > 0 and end >= oldest:
        start = max(end - width, oldest - 1)
        found = await store.read(where, after=start, up_to=end, limit=width)
        if len(found) >= missing:
            return found[-missing].seq - 1
        missing -= len(found)
        end, width = start, min(4 * width, max(width, _WIDEST_LOOK))
    return end
