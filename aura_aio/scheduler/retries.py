"""A finished run is done over, as a new one: from its start, or from where it went wrong.

May import the rest of `scheduler` and model; stores come in as ports.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from aura_aio.model.errors import RunNotFinished, RunNotFound
from aura_aio.model.ports import IdempotencyKey, RunStore
from aura_aio.model.run import HANDED_DOWN, OnCrash, Run, StepRecord
from aura_aio.model.states import TERMINAL
from aura_aio.model.trace import TraceContext
from aura_aio.scheduler.admission import Admission
from aura_aio.scheduler.redo import START, Redoing, StepToDo, redo


class RetryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is to be done over: from where (a step, or a word of `scheduler.redo`), with which
    inputs in place of those of the same name, by the task as it was for the run or as it is now.

    With `dry_run` it only is said what would be done.
    """

    start: str = START
    inputs: dict[str, Any] = {}
    latest: bool = False
    dry_run: bool = False
    trace: TraceContext | None = None


class Retry(msgspec.Struct, frozen=True):
    """A run that is done over: what the new one does with each step, and its cid, if there is one.

    `replayed`: an earlier request with the same key had started it.
    """

    retry_of: str
    steps: tuple[StepToDo, ...]
    cid: str | None = None
    replayed: bool = False


_steps = msgspec.json.Decoder(tuple[StepToDo, ...])


class Retries:
    """Makes new runs of finished ones."""

    def __init__(self, store: RunStore, admission: Admission) -> None:
        self._store = store
        self._admission = admission

    async def __call__(
        self, cid: str, request: RetryRequest, idempotency: IdempotencyKey | None = None
    ) -> Retry:
        """Queue a new run that does the run `cid` over, durably; or say what it would do.

        It has the priority, the labels, the time limit, the origin and the callback of that run.
        The steps that are kept are as if it had carried them out itself.

        Raises:
            RunNotFound: no such run, or its definition is not kept any more.
            RunNotFinished: it has not ended.
            SealBroken: its secret inputs cannot be read.
            BadReference, InputsRejected, InputsTooLarge: see `Admission.admit_again`.
            UnknownStep: the task has no step of the name.
            QueueFull, IdempotencyMismatch, StoreUnavailable: see `RunStore.enqueue`.
        """
        run = await self._store.get(cid)
        if run is None:
            raise RunNotFound(cid)
        if run.state not in TERMINAL:
            raise RunNotFinished(cid, run.state)
        definition = await self._store.definition(run.definition_digest)
        if definition is None:
            raise RunNotFound(cid)
        pinned = None if request.latest else definition
        admitted = self._admission.admit_again(run, request.inputs, pinned, trace=request.trace)
        records = _last_records(run, await self._store.steps(cid))
        statuses = {name: record.status for name, record in records.items()}
        task = admitted.definition.task()
        steps = redo(task, definition.task(), statuses, request.start)
        if request.dry_run:
            return Retry(cid, steps)
        self._admission.check_space()
        if idempotency is not None:
            idempotency = replace(idempotency, memo=msgspec.json.encode(steps))
        accepted = await self._store.enqueue(
            (admitted.tasklet,),
            (admitted.definition,),
            idempotency,
            finished=[
                replace(records[each.step], cid=admitted.tasklet.cid, attempt=HANDED_DOWN)
                for each in steps
                if each.action is not Redoing.RUN
            ],
        )
        if accepted.replayed:
            steps = _steps.decode(accepted.memo)
        return Retry(cid, steps, accepted.cids[0], accepted.replayed)


def _last_records(run: Run, records: Sequence[StepRecord]) -> dict[str, StepRecord]:
    """How each step of the run stood at its end: what was done in attempts that were lost counts
    only if the run went on from there.
    """
    counted = {HANDED_DOWN, run.attempt}
    return {
        record.step: record
        for record in sorted(records, key=lambda record: record.attempt)
        if run.on_crash is OnCrash.RESUME or record.attempt in counted
    }
