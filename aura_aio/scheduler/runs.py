"""Runs: submit, look at, wait for, cancel.

May import the rest of `scheduler`, logs and model; stores and dispatchers come in as ports.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from aura_aio.logs.hub import LogHub
from aura_aio.model.clock import Clock
from aura_aio.model.cursors import decode_cursor, encode_cursor
from aura_aio.model.errors import AuraError, BatchRejected, RunNotFound
from aura_aio.model.log import LogEntry, LogFilter
from aura_aio.model.ports import (
    Accepted,
    ActiveAttempt,
    Dispatcher,
    IdempotencyKey,
    LogStore,
    Page,
    RunFilter,
    RunStore,
)
from aura_aio.model.run import CancelRequest, Run
from aura_aio.model.states import TERMINAL, RunState
from aura_aio.scheduler.admission import Admission, Admitted, RunRequest
from aura_aio.scheduler.events import RunEnds


class Rejection(msgspec.Struct, frozen=True):
    """Why one task of a batch was not queued: an `AuraError` as data.

    `faults` are pairs (place, what is wrong), empty when the sentence says it all.
    """

    code: str
    detail: str
    faults: tuple[tuple[str, str], ...] = ()


class BatchItem(msgspec.Struct, frozen=True):
    """What became of one task of a batch: a cid, or a rejection."""

    cid: str | None = None
    rejection: Rejection | None = None


class Batch(msgspec.Struct, frozen=True):
    """What became of a batch, in the order of the request."""

    items: tuple[BatchItem, ...]
    replayed: bool = False


class LogPage(msgspec.Struct, frozen=True):
    """Log entries; `next_cursor` is None when the run has ended and this was all of its log."""

    entries: tuple[LogEntry, ...]
    next_cursor: str | None


class Runs:
    """What can be asked of runs."""

    def __init__(
        self,
        *,
        store: RunStore,
        log_store: LogStore,
        hub: LogHub,
        dispatcher: Dispatcher,
        admission: Admission,
        ends: RunEnds,
        clock: Clock,
    ) -> None:
        self._store = store
        self._log_store = log_store
        self._hub = hub
        self._dispatcher = dispatcher
        self._admission = admission
        self._ends = ends
        self._clock = clock

    async def submit(
        self, request: RunRequest, idempotency: IdempotencyKey | None = None
    ) -> Accepted:
        """Queue one run, durably; one cid in the answer.

        Raises:
            BadReference, InputsRejected: see `Admission.admit`.
            QueueFull, IdempotencyMismatch, StoreUnavailable: see `RunStore.enqueue`.
        """
        admitted = self._admission.admit(request)
        return await self._store.enqueue((admitted.tasklet,), (admitted.definition,), idempotency)

    async def submit_batch(
        self,
        requests: Sequence[RunRequest | AuraError],
        *,
        atomic: bool,
        idempotency: IdempotencyKey | None = None,
    ) -> Batch:
        """Queue every request that is good, together; an error in place of a request stays one.

        Raises:
            BatchRejected: `atomic`, and at least one is bad.
            QueueFull, IdempotencyMismatch, StoreUnavailable: see `RunStore.enqueue`.
        """
        results = self._admission.admit_each(requests)
        if atomic:
            faults = [
                (f"/tasks/{index}", str(error))
                for index, error in enumerate(results)
                if isinstance(error, AuraError)
            ]
            if faults:
                raise BatchRejected(faults)
        items = tuple(_batch_item(result) for result in results)
        good = [result for result in results if isinstance(result, Admitted)]
        if idempotency is not None:
            memo = msgspec.json.encode(items)
            idempotency = msgspec.structs.replace(idempotency, memo=memo)
        elif not good:
            return Batch(items)
        definitions = {each.definition.digest: each.definition for each in good}
        accepted = await self._store.enqueue(
            [each.tasklet for each in good], list(definitions.values()), idempotency
        )
        if accepted.replayed:
            first = msgspec.json.decode(accepted.memo, type=tuple[BatchItem, ...])
            return Batch(first, replayed=True)
        return Batch(items)

    async def get(self, cid: str, *, wait_sec: float = 0.0) -> Run:
        """One run with inputs and result; held up to `wait_sec` while it has not ended.

        Raises:
            RunNotFound: no such run.
        """
        with self._ends.watch(cid) as ended:
            run = await self._get(cid)
            if wait_sec > 0 and run.state not in TERMINAL:
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_sec):
                        await ended.wait()
                run = await self._get(cid)
        return run

    async def list(
        self, where: RunFilter, *, limit: int, cursor: str | None, include: frozenset[str]
    ) -> Page[Run]:
        """Runs, the newest first; see `RunStore.list_runs`."""
        return await self._store.list_runs(where, limit=limit, cursor=cursor, include=include)

    async def list_active(self) -> Sequence[tuple[Run, ActiveAttempt | None]]:
        """Every run that runs now, the oldest first, with what is known of its attempt."""
        attempts = self._dispatcher.active()
        return [(run, attempts.get(run.cid)) for run in await self._store.list_active()]

    async def states(self, cids: Sequence[str]) -> Mapping[str, Run]:
        """Those of `cids` that exist."""
        return await self._store.states(cids)

    async def cancel(
        self,
        cid: str,
        *,
        mode: str = "graceful",
        grace_sec: float = 10.0,
        reason: str | None = None,
    ) -> Run:
        """Cancel a queued run at once, begin to cancel a running one; answers the run after it.

        Raises:
            RunNotFound: no such run.
            RunFinished: it has ended.
        """
        request = CancelRequest(
            requested_at=self._clock.now(), mode=mode, grace_sec=grace_sec, reason=reason
        )
        run = await self._store.request_cancel(cid, request)
        if run.state is RunState.CANCELLING:
            self._dispatcher.cancel(cid, grace_sec=0.0 if mode == "kill" else grace_sec)
        return run

    async def logs(
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
        after = decode_cursor("log", int, cursor) if cursor is not None else 0
        where = msgspec.structs.replace(where, cid=cid)
        with self._ends.watch(cid) as ended, self._hub.news(where) as news:
            page = await self._log_page(where, cid, after, limit)
            if wait_sec > 0 and not page.entries and page.next_cursor is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_sec):
                        await _first_of(ended.wait(), news.wait())
                page = await self._log_page(where, cid, after, limit)
        return page

    async def _log_page(self, where: LogFilter, cid: str, after: int, limit: int) -> LogPage:
        run = await self._get(cid)  # before the log: of a run that has ended, all lines are there
        entries = await self._log_store.read(where, after=after, up_to=None, limit=limit + 1)
        more = len(entries) > limit
        entries = entries[:limit]
        last = entries[-1].seq if entries else after
        open_end = more or run.state not in TERMINAL
        return LogPage(entries, encode_cursor("log", last) if open_end else None)

    async def _get(self, cid: str) -> Run:
        run = await self._store.get(cid)
        if run is None:
            raise RunNotFound(cid)
        return run


def _batch_item(result: Admitted | AuraError) -> BatchItem:
    if isinstance(result, Admitted):
        return BatchItem(cid=result.tasklet.cid)
    faults = tuple(getattr(result, "faults", ()))
    return BatchItem(rejection=Rejection(result.code, str(result), faults))


async def _first_of(*events: Coroutine[Any, Any, object]) -> None:
    """Return when the first of `events` has happened; the others are cancelled."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(event) for event in events]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
