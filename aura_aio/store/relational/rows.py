"""Rows and what they stand for; the columns and their order are those of sql.py.

May import the standard library, msgspec and model only.
"""

from typing import Any, Final

import msgspec

from aura_aio.model.audit import AuditOutcome, Note
from aura_aio.model.fleet import HostStatus, PlanDigests
from aura_aio.model.log import LogEntry, LogLevel, LogLine
from aura_aio.model.run import (
    CallRecord,
    CancelRequest,
    Limit,
    OnCrash,
    Run,
    RunError,
    StepRecord,
    Tasklet,
)
from aura_aio.model.schedule import DueOutcome, Schedule, ScheduleState
from aura_aio.model.schedule_store import KeptEvent
from aura_aio.model.states import RunState
from aura_aio.model.trace import TraceContext

Row = tuple[Any, ...]

NO_LIMITS: Final = "[]"

_QUEUED: Final = RunState.QUEUED.value
_RUNNING: Final = RunState.RUNNING.value
_TASKLET: Final = 6
"""Where the columns of the Tasklet begin in a row for sql.INSERT_RUN."""

_ON_CRASH: Final = {each.value: each for each in OnCrash}
_TEXTS: Final = {each: each.value for each in OnCrash}


class _HostPlans(msgspec.Struct, frozen=True):
    """The part of a `HostStatus` that claims depend on."""

    plans: PlanDigests


_encoder = msgspec.json.Encoder()
_limits = msgspec.json.Decoder(tuple[Limit, ...])
_labels = msgspec.json.Decoder(dict[str, str])
_error = msgspec.json.Decoder(RunError)
_calls = msgspec.json.Decoder(tuple[CallRecord, ...])
_cancel = msgspec.json.Decoder(CancelRequest)
_schedule = msgspec.json.Decoder(Schedule)
_data = msgspec.json.Decoder(dict[str, Any])
_host_plans = msgspec.json.Decoder(_HostPlans)
_host_room = msgspec.json.Decoder(HostStatus)


def run_from(row: Row) -> Run:
    """The run of a row."""
    labels, error, cancel = row[14], row[16], row[17]
    return Run(
        cid=row[0],
        plan_name=row[1],
        task_name=row[2],
        state=RunState(row[3]),
        attempt=row[4],
        priority=row[5],
        rank=row[6],
        definition_digest=row[7],
        created_at=row[8],
        on_crash=OnCrash(row[9]),
        run_at=row[10],
        started_at=row[11],
        finished_at=row[12],
        timeout_sec=row[13],
        labels=_labels.decode(labels) if labels else {},
        worker=row[15],
        error=_error.decode(error) if error else None,
        cancel=cancel_from(cancel),
        limits=limits_from(row[18]),
        parent_cid=row[19],
        depth=row[20],
        origin=row[21],
        arrival=row[22],
        retry_of=row[23],
        callback_url=row[24],
        trace=_trace(row[25], row[26]),
        plan_digest=row[27],
        inputs=row[28],
        sealed=row[29],
        result=row[30],
    )


def row_of_tasklet(tasklet: Tasklet, now: float) -> Row:
    """The row for sql.INSERT_RUN of a run that is accepted now, and waits.

    A child goes before all that is not so deep (of its priority): what has begun is brought to its
    end first, and no more parents wait at a time than there are slots and generations.
    """
    run_at, accepted_at = tasklet.run_at, tasklet.accepted_at
    return (
        _QUEUED,
        None,
        None,
        accepted_at if run_at is None else max(accepted_at, run_at),
        is_delayed(tasklet, now),
        -tasklet.depth if tasklet.parent_cid else 0,
        tasklet.cid,
        tasklet.plan_name,
        tasklet.task_name,
        tasklet.definition_digest,
        accepted_at,
        tasklet.attempt,
        tasklet.inputs,
        tasklet.priority,
        run_at,
        tasklet.timeout_sec,
        _TEXTS[tasklet.on_crash],
        json_text(tasklet.labels) if tasklet.labels else None,
        json_text(tasklet.limits) if tasklet.limits else NO_LIMITS,
        tasklet.parent_cid,
        tasklet.depth,
        tasklet.origin,
        tasklet.sealed,
        tasklet.retry_of,
        tasklet.trace and tasklet.trace.parent,
        tasklet.trace and tasklet.trace.state,
        tasklet.plan_digest,
        tasklet.cid,
        tasklet.callback_url,
    )


def is_delayed(tasklet: Tasklet, now: float) -> bool:
    """Whether a run that is accepted now can be claimed later only."""
    return tasklet.run_at is not None and tasklet.run_at > now


def can_start(row: Row) -> bool:
    """Whether the run of a row for sql.INSERT_RUN waits, and may be claimed now."""
    return row[0] == _QUEUED and not row[4]


def is_limited(row: Row) -> bool:
    """Whether the run of a row for sql.INSERT_RUN has limits."""
    return bool(row[_TASKLET + 12] != NO_LIMITS)


def place_of(row: Row) -> Row:
    """What the queue orders the run of a row for sql.INSERT_RUN by."""
    return -row[_TASKLET + 7], row[5], row[_TASKLET + 21]


def started(row: Row, worker: str, now: float) -> tuple[Row, Tasklet]:
    """The row of the same run, which runs from the beginning, and its Tasklet."""
    return (_RUNNING, worker, now, *row[3:]), tasklet_from(row[_TASKLET:])


def tasklet_from(row: Row) -> Tasklet:
    """The Tasklet of a row."""
    return Tasklet(
        cid=row[0],
        plan_name=row[1],
        task_name=row[2],
        definition_digest=row[3],
        accepted_at=row[4],
        attempt=row[5],
        inputs=row[6],
        priority=row[7],
        run_at=row[8],
        timeout_sec=row[9],
        on_crash=_ON_CRASH[row[10]],
        labels=_labels.decode(row[11]) if row[11] else {},
        limits=limits_from(row[12]),
        parent_cid=row[13],
        depth=row[14],
        origin=row[15],
        sealed=row[16],
        retry_of=row[17],
        trace=_trace(row[18], row[19]),
        plan_digest=row[20],
    )


def _trace(parent: str | None, state: str | None) -> TraceContext | None:
    return None if parent is None else TraceContext(parent, state)


def row_of_step(record: StepRecord) -> Row:
    """The row for sql.PUT_STEP."""
    return (
        record.cid,
        record.attempt,
        record.step,
        record.status,
        record.started_at,
        record.finished_at,
        record.tries,
        record.output,
        json_text(record.error) if record.error else None,
        record.worker,
        _encoder.encode(record.calls) if record.calls else None,
    )


def step_from(row: Row) -> StepRecord:
    """The record of a row."""
    return StepRecord(
        cid=row[0],
        attempt=row[1],
        step=row[2],
        status=row[3],
        started_at=row[4],
        finished_at=row[5],
        tries=row[6],
        output=row[7],
        error=_error.decode(row[8]) if row[8] else None,
        worker=row[9],
        calls=_calls.decode(row[10]) if row[10] else (),
    )


def row_data(data: dict[str, Any]) -> bytes:
    """The data of a line, as its row has them."""
    return _encoder.encode(data)


def entry_from(row: Row) -> LogEntry:
    """The entry of a row."""
    line = LogLine(
        timestamp=row[1],
        level=LogLevel.from_number(row[2]),
        logger=row[3],
        message=row[4],
        cid=row[5],
        plan_name=row[6],
        task_name=row[7],
        step=row[8],
        attempt=row[9],
        worker=row[10],
        data=None if row[11] is None else _data.decode(row[11]),
    )
    return LogEntry(row[0], line)


def row_of_schedule(state: ScheduleState) -> Row:
    """The row for sql.PUT_SCHEDULE."""
    return (
        state.id,
        None if state.created is None else _encoder.encode(state.created),
        state.enabled,
        state.basis,
        state.decided_at,
        state.last_run_at,
        state.last_cid,
        None if state.outcome is None else state.outcome.value,
        state.message,
    )


def schedule_from(row: Row) -> ScheduleState:
    """What is kept of a schedule in a row."""
    return ScheduleState(
        id=row[0],
        created=None if row[1] is None else _schedule.decode(row[1]),
        enabled=None if row[2] is None else bool(row[2]),
        basis=row[3],
        decided_at=row[4],
        last_run_at=row[5],
        last_cid=row[6],
        outcome=None if row[7] is None else DueOutcome(row[7]),
        message=row[8],
    )


def event_from(row: Row) -> KeptEvent:
    """The event of a row."""
    return KeptEvent(
        number=row[0],
        cid=row[1],
        plan_name=row[2],
        task_name=row[3],
        status=RunState(row[4]),
        at=row[5],
        depth=row[6],
    )


def row_of_note(
    note: Note, outcome: AuditOutcome, reason: str | None, cid: str | None, run_count: int
) -> Row:
    """The row for sql.KEEP_AUDIT_EVENT, but for its time."""
    return (
        note.operation,
        outcome.value,
        reason,
        note.by_token,
        note.by_name,
        note.remote,
        note.request_id,
        cid,
        run_count,
        note.plan_name,
        note.task_name,
        note.schedule_id,
        note.token_id,
    )


def plans_from(status: bytes) -> PlanDigests:
    """The plans that a host tells of in the column `status`."""
    return _host_plans.decode(status).plans


def plans_with_room_from(status: bytes) -> PlanDigests:
    """The same, of a host that says that it has room; none of one that has not."""
    host = _host_room.decode(status)
    return host.plans if host.has_room else {}


def limits_from(text: str) -> tuple[Limit, ...]:
    """The limits in the column of that name."""
    return () if text == NO_LIMITS else _limits.decode(text)


def cancel_from(text: str | None) -> CancelRequest | None:
    """The request in the column `cancel`."""
    return None if text is None else _cancel.decode(text)


def json_text(value: Any) -> str:
    """`value` for a column that SQL may look into, or a person."""
    return _encoder.encode(value).decode()
