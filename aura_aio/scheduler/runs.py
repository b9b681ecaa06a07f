"""Runs: submit, look at, wait for, cancel, do over.

May import the rest of `scheduler` and model; stores and dispatchers come in as ports.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from aura_aio.model.audit import who
from aura_aio.model.callback import Callback, CallbackStore
from aura_aio.model.clock import Clock
from aura_aio.model.errors import AuraError, BatchRejected, RunNotFound
from aura_aio.model.plan import Definition
from aura_aio.model.ports import (
    Accepted,
    ActiveAttempt,
    Dispatcher,
    IdempotencyKey,
    Page,
    RunFilter,
    RunStore,
)
from aura_aio.model.run import CancelRequest, Run, StepRecord
from aura_aio.model.states import CANCELLABLE, TERMINAL, RunState
from aura_aio.scheduler.admission import Admission, Admitted, RunRequest
from aura_aio.scheduler.events import RunEnds
from aura_aio.scheduler.retries import Retries

CANCELLED_AT_ONCE: Final = 500
"""So many are cancelled in one transaction: some 10 ms, then others have their turn."""


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


class Cancelled(msgspec.Struct, frozen=True):
    """How many runs are cancelled, and how many are on their way there."""

    cancelled: int
    cancelling: int


class Runs:
    """What can be asked of runs."""

    def __init__(
        self,
        *,
        store: RunStore,
        dispatcher: Dispatcher,
        admission: Admission,
        callbacks: CallbackStore,
        ends: RunEnds,
        clock: Clock,
    ) -> None:
        self._callbacks = callbacks
        self._store = store
        self._dispatcher = dispatcher
        self._admission = admission
        self._ends = ends
        self._clock = clock
        self.retry = Retries(store, admission)
        """Does a finished run over."""

    def idempotency_key(self, key: str, body: bytes) -> IdempotencyKey:
        """A client's key for a request with this body, of which it keeps nothing readable."""
        return self._admission.idempotency_key(key, body)

    def check_space(self) -> None:
        """Return if new runs are taken.

        Raises:
            DiskNearlyFull: the disk has too little room for them.
        """
        self._admission.check_space()

    async def submit(
        self, request: RunRequest, idempotency: IdempotencyKey | None = None
    ) -> Accepted:
        """Queue one run, durably; one cid in the answer.

        Raises:
            BadReference, InputsRejected, InputsTooLarge: see `Admission.admit`.
            DiskNearlyFull: see `check_space`.
            QueueFull, IdempotencyMismatch, StoreUnavailable: see `RunStore.enqueue`.
        """
        self._admission.check_space()
        admitted = self._admission.admit(request)
        self._dispatcher.run_comes()
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
            DiskNearlyFull: see `check_space`.
            QueueFull, IdempotencyMismatch, StoreUnavailable: see `RunStore.enqueue`.
        """
        self._admission.check_space()
        results = await self._admission.admit_each(requests)
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
        self._dispatcher.run_comes()
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

    async def get_run_definition(self, cid: str) -> Definition:
        """The task as it was when the run was accepted.

        Raises:
            RunNotFound: no such run.
        """
        run = (await self._store.states([cid])).get(cid)
        if run is None or (found := await self._store.definition(run.definition_digest)) is None:
            raise RunNotFound(cid)
        return found

    async def timeline(self, cid: str) -> tuple[Run, Sequence[StepRecord]]:
        """A run, and what is known of its steps; see `RunStore.steps`.

        Raises:
            RunNotFound: no such run.
        """
        steps = await self._store.steps(cid)
        return await self._get(cid), steps

    async def list_run_callbacks(self, cid: str) -> Callback | None:
        """The callback of a run with its tries; None if it has none.

        Raises:
            RunNotFound: no such run.
        """
        return await self._callbacks.of_run(cid)

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
            requested_at=self._clock.now(),
            mode=mode,
            grace_sec=grace_sec,
            reason=reason,
            requested_by=who(),
        )
        run = await self._store.request_cancel(cid, request)
        if run.state is RunState.CANCELLING:
            self._dispatcher.cancel(cid, grace_sec=request.actions_grace_sec)
        return run

    async def cancel_tasks(
        self,
        where: RunFilter,
        *,
        mode: str = "graceful",
        grace_sec: float = 10.0,
        reason: str | None = None,
    ) -> Cancelled:
        """Cancel every run that `where` lets pass and that has not ended.

        Runs that come meanwhile are left alone: it goes from the newest to the oldest.
        """
        request = CancelRequest(
            requested_at=self._clock.now(),
            mode=mode,
            grace_sec=grace_sec,
            reason=reason,
            requested_by=who(),
        )
        statuses = tuple(state for state in where.statuses or RunState if state in CANCELLABLE)
        if not statuses:
            return Cancelled(0, 0)
        where = msgspec.structs.replace(where, statuses=statuses)
        ends: Counter[RunState | None] = Counter()
        cursor = None
        while True:
            page = await self._store.list_runs(
                where, limit=CANCELLED_AT_ONCE, cursor=cursor, include=frozenset()
            )
            cids = [run.cid for run in page.items]
            states = await self._store.request_cancel_each(cids, request, only_queued=False)
            for cid, state in zip(cids, states, strict=True):
                if state is RunState.CANCELLING:
                    self._dispatcher.cancel(cid, grace_sec=0.0 if mode == "kill" else grace_sec)
            ends.update(states)
            cursor = page.next_cursor
            if cursor is None:
                return Cancelled(ends[RunState.CANCELLED], ends[RunState.CANCELLING])

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
