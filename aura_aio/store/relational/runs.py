"""The runs: `model.ports.RunStore` in tables.

May import store.writer, the rest of `store.relational`, the standard library and model only.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from aura_aio.model.clock import Clock
from aura_aio.model.plan import Definition
from aura_aio.model.ports import Accepted, IdempotencyKey, Page, RunFilter
from aura_aio.model.run import CancelRequest, Outcome, Run, StepRecord, Tasklet
from aura_aio.model.states import RunEvent, RunState
from aura_aio.store.relational import changes, sql
from aura_aio.store.relational.accept import Acceptance
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.lists import list_runs
from aura_aio.store.relational.reader import Reader
from aura_aio.store.relational.rows import (
    json_text,
    run_from,
    step_from,
)
from aura_aio.store.relational.transaction import Transaction
from aura_aio.store.writer import Writer

ENDS: Final = frozenset({RunEvent.SUCCEED, RunEvent.FAIL, RunEvent.TIME_OUT, RunEvent.STOPPED})


class SqlRuns:
    """Implements `model.ports.RunStore`."""

    def __init__(
        self,
        writer: Writer[Transaction],
        look_ups: Reader,
        lists: Reader,
        clock: Clock,
        *,
        acceptance: Acceptance,
        max_attempts: int,
    ) -> None:
        self._writer = writer
        self._look_ups = look_ups
        self._lists = lists
        self._clock = clock
        self._acceptance = acceptance
        self._max_attempts = max_attempts

    async def enqueue(
        self,
        tasklets: Sequence[Tasklet],
        definitions: Sequence[Definition],
        idempotency: IdempotencyKey | None = None,
        *,
        finished: Sequence[StepRecord] = (),
    ) -> Accepted:
        """Store all of `tasklets` as queued runs, or none, with the steps that they begin with.

        Raises:
            ValueError: a tasklet names a definition that is not given.
            QueueFull, IdempotencyMismatch, StoreUnavailable: see `model.ports`.
        """
        missing = {tasklet.definition_digest for tasklet in tasklets}.difference(
            definition.digest for definition in definitions
        )
        if missing:
            raise ValueError(f"definitions are not given: {sorted(missing)}")
        return await self._writer.submit(
            lambda tx: self._acceptance.accept(
                tx, tasklets, definitions, idempotency, self._clock.now(), finished=finished
            )
        )

    async def get(self, cid: str) -> Run | None:
        """The run with inputs and result, or None."""

        def query(connection: Connection) -> Run | None:
            row = connection.execute(sql.GET, (cid,)).fetchone()
            return None if row is None else run_from(row)

        return await self._look_ups.ask(query)

    async def list_runs(
        self, where: RunFilter, *, limit: int, cursor: str | None, include: frozenset[str]
    ) -> Page[Run]:
        """Runs, the newest first; raises BadCursor."""
        return await self._lists.ask(
            partial(list_runs, where=where, limit=limit, cursor=cursor, include=include)
        )

    async def list_active(self) -> tuple[Run, ...]:
        """Every run that is running or cancelling, the oldest first."""

        def query(connection: Connection) -> tuple[Run, ...]:
            runs = map(run_from, connection.execute(sql.ACTIVE))
            return tuple(sorted(runs, key=lambda run: run.cid))

        return await self._look_ups.ask(query)

    async def states(self, cids: Sequence[str]) -> Mapping[str, Run]:
        """Those of `cids` that exist, with neither inputs nor result."""

        def query(connection: Connection) -> Mapping[str, Run]:
            rows = connection.execute(sql.GET_SEVERAL, (json_text(tuple(cids)),))
            return {row[0]: run_from(row) for row in rows}

        return await self._look_ups.ask(query)

    async def request_cancel(self, cid: str, request: CancelRequest) -> Run:
        """Cancel a queued run, mark a running one; raises RunNotFound, RunFinished."""
        return await self._writer.submit(
            lambda tx: changes.cancel(tx, cid, request, self._clock.now())
        )

    async def request_cancel_each(
        self, cids: Sequence[str], request: CancelRequest, *, only_queued: bool
    ) -> tuple[RunState | None, ...]:
        """Cancel each of these that can be cancelled, in one transaction."""
        return await self._writer.submit(
            lambda tx: changes.cancel_each(
                tx, cids, request, self._clock.now(), only_queued=only_queued
            )
        )

    async def finish(
        self, outcomes: Sequence[Outcome], steps: Sequence[StepRecord] = ()
    ) -> tuple[RunState | None, ...]:
        """Keep what steps did, then end attempts as their Runners report.

        Raises:
            ValueError: an event is none that ends an attempt.
            StoreUnavailable: it could not be made durable.
        """
        if not ENDS.issuperset(outcome.event for outcome in outcomes):
            raise ValueError("an outcome does not end its attempt")
        if not outcomes and not steps:
            return ()
        return await self._writer.submit(lambda tx: changes.finish(tx, outcomes, steps))

    async def lose(
        self, attempts: Sequence[tuple[str, int]], *, reason: str, retry: bool = True
    ) -> tuple[RunState | None, ...]:
        """The worker of these attempts is gone: `on_crash` decides, run by run."""
        if not attempts:
            return ()
        loss = changes.Loss(reason, retry, self._max_attempts, self._clock.now())
        return await self._writer.submit(lambda tx: changes.lose(tx, attempts, loss))

    async def recover(self) -> Mapping[str, tuple[str, ...]]:
        """At start: every run that was running has lost its worker."""
        reason = "The server ended while the run was under way."
        loss = changes.Loss(reason, True, self._max_attempts, self._clock.now())
        return await self._writer.submit(lambda tx: changes.recover(tx, loss))

    async def definition(self, digest: str) -> Definition | None:
        """The frozen definition of that digest."""

        def query(connection: Connection) -> Definition | None:
            row = connection.execute(sql.DEFINITION, (digest,)).fetchone()
            return None if row is None else Definition(digest, row[0])

        return await self._look_ups.ask(query)

    async def record_steps(self, records: Sequence[StepRecord]) -> None:
        """Keep what steps of attempts under way did."""
        if records:
            await self._writer.submit(lambda tx: changes.record_steps(tx, records))

    async def steps(self, cid: str) -> tuple[StepRecord, ...]:
        """The records of a run, all attempts, in the order of their start."""

        def query(connection: Connection) -> tuple[StepRecord, ...]:
            records = map(step_from, connection.execute(sql.STEPS, (cid,)))
            return tuple(sorted(records, key=_order_of_start))

        return await self._lists.ask(query)

    async def finished_steps(self, cid: str) -> tuple[StepRecord, ...]:
        """What the attempts of a run have finished so far, in the order of their end."""

        def query(connection: Connection) -> tuple[StepRecord, ...]:
            records = map(step_from, connection.execute(sql.FINISHED_STEPS, (cid,)))
            latest = {record.step: record for record in sorted(records, key=_order_of_start)}
            return tuple(sorted(latest.values(), key=lambda record: record.finished_at or 0.0))

        return await self._lists.ask(query)


def _order_of_start(record: StepRecord) -> tuple[int, float, str]:
    """Attempts in order; a step that never started counts from its end, else comes last."""
    for moment in (record.started_at, record.finished_at):
        if moment is not None:
            return record.attempt, moment, record.step
    return record.attempt, float("inf"), record.step
