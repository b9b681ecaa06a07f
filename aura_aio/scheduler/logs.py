"""The stored log: of one run, and of everything, in pages or as a whole; and the audit trail.

May import the rest of `scheduler`, logs and model; stores come in as ports.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from aura_aio.logs.hub import LogHub
from aura_aio.model.audit import AuditEvent, AuditFilter, AuditOutcome, AuditStore, Note
from aura_aio.model.coroutines import first_of
from aura_aio.model.cursors import decode_cursor, encode_cursor
from aura_aio.model.errors import RunNotFound
from aura_aio.model.log import LogEntry, LogFilter
from aura_aio.model.ports import LogStore, Page, RunStore
from aura_aio.model.states import TERMINAL
from aura_aio.scheduler.events import RunEnds

READ_AT_ONCE: Final = 1_000
_RUN: Final = "log"
_ALL: Final = "logs"


class LogPage(msgspec.Struct, frozen=True):
    """Log entries; `next_cursor` is None when no more can follow: the run has ended, and this was
    all of its log.
    """

    entries: tuple[LogEntry, ...]
    next_cursor: str | None


class Logs:
    """What can be asked of the stored log, and of the audit trail."""

    def __init__(
        self, store: LogStore, runs: RunStore, audit: AuditStore, hub: LogHub, ends: RunEnds
    ) -> None:
        self.queue = hub.queue
        """The shared log queue."""
        self._store = store
        self._runs = runs
        self._audit = audit
        self._hub = hub
        self._ends = ends

    async def keep_audit_event(
        self, note: Note, outcome: AuditOutcome, reason: str | None = None
    ) -> None:
        """See `AuditStore.append`."""
        await self._audit.append(note, outcome, reason)

    async def list_audit_events(
        self, where: AuditFilter, *, limit: int, cursor: str | None
    ) -> Page[AuditEvent]:
        """Who has asked for which change, the newest first; see `AuditStore.list_events`."""
        return await self._audit.list_events(where, limit=limit, cursor=cursor)

    async def list_run_logs(
        self,
        where: LogFilter,
        *,
        cid: str,
        limit: int,
        cursor: str | None,
        wait_sec: float = 0.0,
    ) -> LogPage:
        """Log entries of one run, in order; held up to `wait_sec` while there are none to give.

        Raises:
            RunNotFound: no such run.
            BadCursor: the cursor is not one of this list's.
        """
        after = decode_cursor(_RUN, int, cursor) if cursor is not None else 0
        where = msgspec.structs.replace(where, cid=cid)
        with self._ends.watch(cid) as ended, self._hub.news(where) as news:
            page = await self._run_page(where, cid, after, limit)
            if wait_sec > 0 and not page.entries and page.next_cursor is not None:
                await _first_of(wait_sec, ended.wait(), news.wait())
                page = await self._run_page(where, cid, after, limit)
        return page

    async def list_logs(
        self,
        where: LogFilter,
        *,
        since: int = 0,
        limit: int,
        cursor: str | None,
        wait_sec: float = 0.0,
    ) -> LogPage:
        """Log entries over all runs and of the server after number `since`, in order; held up to
        `wait_sec` while there are none to give. There always is a cursor: more can always follow.

        Raises:
            BadCursor: the cursor is not one of this list's.
        """
        after = decode_cursor(_ALL, int, cursor) if cursor is not None else since
        with self._hub.news(where) as news, self._ends.let_go() as closing:
            page = await self._page(where, after, limit)
            if wait_sec > 0 and not page.entries:
                await _first_of(wait_sec, news.wait(), closing.wait())
                page = await self._page(where, after, limit)
        return page

    async def whole_run_log(
        self, where: LogFilter, *, cid: str, cursor: str | None
    ) -> AsyncIterator[Sequence[LogEntry]]:
        """All entries of one run that are stored now, in order, in portions.

        Raises:
            RunNotFound: no such run.
            BadCursor: the cursor is not one of `list_run_logs`.
        """
        after = decode_cursor(_RUN, int, cursor) if cursor is not None else 0
        where = msgspec.structs.replace(where, cid=cid)
        if cid not in await self._runs.states([cid]):
            raise RunNotFound(cid)
        newest = self._hub.seq
        while after < newest:
            entries = await self._store.read(where, after=after, up_to=newest, limit=READ_AT_ONCE)
            yield entries
            after = entries[-1].seq if len(entries) == READ_AT_ONCE else newest

    async def _run_page(self, where: LogFilter, cid: str, after: int, limit: int) -> LogPage:
        run = (await self._runs.states([cid])).get(cid)
        if run is None:
            raise RunNotFound(cid)
        # The run is read before the log: of a run that has ended, all lines are there.
        entries = await self._store.read(where, after=after, up_to=None, limit=limit + 1)
        more = len(entries) > limit
        entries = entries[:limit]
        last = entries[-1].seq if entries else after
        open_end = more or run.state not in TERMINAL
        return LogPage(entries, encode_cursor(_RUN, last) if open_end else None)

    async def _page(self, where: LogFilter, after: int, limit: int) -> LogPage:
        newest = max(after, self._hub.seq)
        entries = await self._store.read(where, after=after, up_to=newest, limit=limit)
        last = entries[-1].seq if len(entries) == limit else newest
        return LogPage(entries, encode_cursor(_ALL, last))


async def _first_of(limit_sec: float, *events: Coroutine[Any, Any, object]) -> None:
    """Return when the first of `events` has happened, or `limit_sec` is over; none goes on."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_sec):
            await first_of(*events)
