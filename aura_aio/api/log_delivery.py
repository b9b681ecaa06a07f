"""One subscription's way to its client: what is stored first, then what comes, and what it missed.

May import `api.log_messages`, logs, model and msgspec only. How it is written down and sent is the
business of who makes a Delivery: a WebSocket or Server-Sent Events.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from aura_aio.api.log_messages import StreamRequest
from aura_aio.logs.buffer import Dropped, Item, Portion, RunEnded, Subscription
from aura_aio.logs.hub import LogHub
from aura_aio.logs.replay import PAGE_LINES, approach, before_the_last, replay
from aura_aio.model.errors import AuraError, RunNotFound
from aura_aio.model.log import LogFilter
from aura_aio.model.ports import LogStore
from aura_aio.model.states import TERMINAL, RunState


class Source(msgspec.Struct, frozen=True):
    """Where entries come from, and what is known of the runs that they belong to.

    With `plans`, there are no entries but those of these plans, whatever is asked for.
    """

    hub: LogHub
    store: LogStore
    run_state: Callable[[str], Awaitable[RunState | None]]
    version: str
    plans: frozenset[str] | None = None


class Limits(msgspec.Struct, frozen=True):
    """The bounds of one monitor: lines and seconds."""

    buffer_lines: int
    heartbeat_sec: float
    send_limit_sec: float
    leave_sec: float


class Watcher(Protocol):
    """Who is connected, as LogConnectionManager knows them."""

    def run_ended(self, ended: RunEnded) -> None:
        """The run that is watched has ended, and its entries are published."""
        ...

    def dismiss(self, why: AuraError) -> None:
        """Say `why`, and end the connection."""
        ...

    async def leave(self) -> None:
        """The server shuts down: return when the connection is over."""
        ...


class Wording(msgspec.Struct, frozen=True):
    """How a connection writes things down: entries, and a message of a kind with its payload."""

    entries: Callable[[tuple[bytes, ...]], bytes]
    message: Callable[[str, object], bytes]

    def written(self, batch: Sequence[Item]) -> bytes:
        """The items of a batch, in order."""
        texts = [self._item(item) for item in batch]
        return texts[0] if len(texts) == 1 else b"".join(texts)

    def _item(self, item: Item) -> bytes:
        match item:
            case Portion():
                return item.as_form(self.entries)
            case Dropped():
                return self.message("dropped", item)
            case RunEnded():
                return self.message("end", item)


class Delivery:
    """Everything that one request asks for, in order, without gap or double."""

    def __init__(
        self,
        source: Source,
        request: StreamRequest,
        wording: Wording,
        *,
        buffer_lines: int,
        send: Callable[[bytes], Awaitable[None]],
    ) -> None:
        self._source = source
        where = msgspec.structs.replace(request.where, plans=source.plans)
        self._request = msgspec.structs.replace(request, where=where)
        self._wording = wording
        self._buffer_lines = buffer_lines
        self._send = send
        self._subscription: Subscription | None = None
        self._ended: RunEnded | None = None

    def run_ended(self, ended: RunEnded) -> None:
        """The run of the request has ended, and its entries are published."""
        self._ended = ended
        if self._subscription is not None:
            self._subscription.finish(ended)

    def close(self) -> bool:
        """Take nothing more, and let `run` return when what waits was sent; answers whether there
        is something that it would send.
        """
        if self._subscription is None:
            return False
        self._subscription.close()
        return True

    async def run(self, oldest: int, newest: int) -> None:
        """Deliver; return when the run of the request has ended and all of it was sent, or after
        `close`. `oldest` and `newest` are the bounds of the log when the request came.

        Raises:
            RunNotFound: there is no run with the cid that was asked for.
            StoreUnavailable: the store does not answer.
            Exception: whatever `send` raises.
        """
        hub, store, where = self._source.hub, self._source.store, self._request.where
        await self._look_at_run(where.cid)
        after = await self._start(oldest, newest)

        async def send(portion: Portion) -> None:
            await self._send(portion.as_form(self._wording.entries))

        near = min(PAGE_LINES, self._buffer_lines)
        after = await approach(hub, store, where, after=after, near=near, send=send)
        subscription = self._subscribe(where)
        try:
            live_from = subscription.start_seq
            await replay(store, where, after=after, up_to=live_from, send=send)
            await self._send(self._wording.message("caught_up", {"seq": live_from}))
            while batch := await subscription.next_batch():
                await self._send(self._wording.written(batch))
        finally:
            self._subscription = None
            hub.unsubscribe(subscription)

    async def _look_at_run(self, cid: str | None) -> None:
        if cid is None:
            return
        state = await self._source.run_state(cid)
        if state is None:
            raise RunNotFound(cid)
        if state in TERMINAL:
            if (rest := self._source.hub.settled()) is not None:
                await rest
            self._ended = RunEnded(cid, state)

    async def _start(self, oldest: int, newest: int) -> int:
        """The seq after which the client wants everything."""
        request = self._request
        if request.tail is None and request.since is None:
            return newest
        # A seq that was never given is of another database: what comes from now on is new to it.
        since = min(request.since or 0, newest)
        if request.tail is None:
            return since
        return await before_the_last(
            self._source.store,
            request.where,
            count=request.tail,
            oldest=max(oldest, since + 1),
            newest=newest,
        )

    def _subscribe(self, where: LogFilter) -> Subscription:
        subscription = self._source.hub.subscribe(where, buffer_lines=self._buffer_lines)
        if self._ended is not None:
            subscription.finish(self._ended)
        self._subscription = subscription
        return subscription
