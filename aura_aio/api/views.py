"""Domain objects as answers: the only place where they get their shape on the wire.

May import scheduler, logs and model. What is absent is left out, never null (CONTRACT.md).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

import aura_aio
from aura_aio.api import problems
from aura_aio.logs.payload import view as log_entry
from aura_aio.model.access import EVERYTHING, Grant
from aura_aio.model.clock import rfc3339
from aura_aio.model.ports import ActiveAttempt, Page
from aura_aio.model.run import Run
from aura_aio.model.states import RunState
from aura_aio.scheduler.logs import LogPage
from aura_aio.scheduler.queue import QueueEntry, QueueOverview
from aura_aio.scheduler.runs import Batch, Cancelled
from aura_aio.scheduler.system import Stopped, SystemState, SystemStatus
from aura_aio.scheduler.waiting import Pauses, Waiting

Answer = dict[str, Any]


def present(**values: Any) -> Answer:
    """The values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def page(items: Iterable[Answer], next_cursor: str | None = None) -> Answer:
    """A page of a list."""
    return present(items=list(items), next_cursor=next_cursor)


def time(seconds: float | None) -> str | None:
    """A moment on the wire, if there is one."""
    return None if seconds is None else rfc3339(seconds)


def run_accepted(cid: str, plan_name: str, task_name: str) -> Answer:
    """RunAccepted."""
    message = f"Task {task_name!r} of plan {plan_name!r} is queued."
    return {"status": RunState.QUEUED, "message": message, "cid": cid}


def batch_result(batch: Batch) -> Answer:
    """TaskBatchResult."""
    items = []
    for index, item in enumerate(batch.items):
        if item.rejection is None:
            items.append({"index": index, "status": "queued", "cid": item.cid})
        else:
            problem = problems.of_rejection(item.rejection)
            items.append({"index": index, "status": "rejected", "error": problem})
    rejected = sum(item.rejection is not None for item in batch.items)
    return {
        "items": items,
        "success_count": len(items) - rejected,
        "failed_count": rejected,
    }


def run_summary(run: Run) -> Answer:
    """RunSummary; with inputs and result if they were read."""
    return present(
        cid=run.cid,
        plan_name=run.plan_name,
        task_name=run.task_name,
        status=run.state,
        priority=run.priority,
        labels=run.labels,
        attempt=run.attempt,
        parent_cid=run.parent_cid,
        created_at=time(run.created_at),
        run_at=time(run.run_at),
        started_at=time(run.started_at),
        finished_at=time(run.finished_at),
        retry_of=run.retry_of,
        error=run.error,
        inputs=raw_json(run.inputs),
        result=raw_json(run.result),
    )


def run_detail(run: Run, waiting: Waiting | None) -> Answer:
    """Run."""
    cancel = run.cancel
    return run_summary(run) | present(
        timeout_sec=run.timeout_sec,
        worker=run.worker,
        definition_digest=run.definition_digest,
        plan_digest=run.plan_digest,
        traceparent=run.trace and run.trace.parent,
        tracestate=run.trace and run.trace.state,
        waiting=None if waiting is None else waiting_view(waiting),
        cancel=None
        if cancel is None
        else present(
            mode=cancel.mode,
            reason=cancel.reason,
            requested_by=cancel.requested_by,
            requested_at=time(cancel.requested_at),
        ),
    )


def run_list(runs: Page[Run]) -> Answer:
    """RunList."""
    return page(map(run_summary, runs.items), runs.next_cursor)


def active_run_list(runs: Sequence[tuple[Run, ActiveAttempt | None]]) -> Answer:
    """ActiveRunList."""
    return page(_active_run(run, attempt) for run, attempt in runs)


def task_status_batch(cids: Sequence[str], runs: Mapping[str, Run]) -> Answer:
    """TaskStatusBatch, in the order of `cids`."""
    return {"items": [_task_status(cid, runs.get(cid)) for cid in cids]}


def cancel_accepted(run: Run) -> Answer:
    """CancelAccepted."""
    done = run.state is RunState.CANCELLED
    message = "The run is cancelled." if done else "The run is being cancelled."
    return {"cid": run.cid, "status": run.state, "message": message}


def log_page(logs: LogPage) -> Answer:
    """LogEntryPage."""
    return present(items=[log_entry(entry) for entry in logs.entries], next_cursor=logs.next_cursor)


def queue_list(entries: Page[QueueEntry]) -> Answer:
    """QueueList."""
    return page(map(_queue_entry, entries.items), entries.next_cursor)


def queue_overview(overview: QueueOverview) -> Answer:
    """QueueOverview."""
    counts = overview.counts
    return present(
        ready_length=counts.ready,
        delayed_length=counts.delayed,
        running_length=counts.running,
        by_plan=counts.by_plan,
        by_priority={str(priority): count for priority, count in counts.by_priority.items()},
        avg_wait_sec=counts.avg_wait_sec,
        p95_wait_sec=counts.p95_wait_sec,
        oldest_age_sec=overview.oldest_age_sec,
        throughput=counts.throughput,
        pauses=queue_pauses(overview.pauses),
    )


def queue_pauses(pauses: Pauses, grant: Grant = EVERYTHING) -> Answer:
    """QueuePauses, as who is granted `grant` may see them."""
    plans = [
        {"plan_name": name, "since": time(since)}
        for name, since in pauses.plans.items()
        if grant.sees(name)
    ]
    return present(is_paused=pauses.since is not None, since=time(pauses.since), plans=plans)


def removed_from_queue(cid: str) -> Answer:
    """CancelAccepted, of a run that was queued."""
    return {"cid": cid, "status": RunState.CANCELLED, "message": "The run is cancelled."}


def tasks_cancelled(cancelled: Cancelled) -> Answer:
    """CancelTasksResult."""
    return {
        "cancelled_count": cancelled.cancelled,
        "cancelling_count": cancelled.cancelling,
    }


def system_started(*, started: bool, is_paused: bool) -> Answer:
    """StartResult; of a queue that `is_paused`, nothing starts for now."""
    if started and is_paused:
        message = "The system runs, but the queue is paused: no run starts until it is resumed."
        return {"status": "started", "message": message}
    if started:
        return {"status": "started", "message": "Queued runs are started from now on."}
    return {"status": "already_running", "message": "The system was running already."}


def system_stopped(stopped: Stopped) -> Answer:
    """StopResult."""
    if stopped.already:
        status, message = "already_stopped", "The system was stopped already."
    else:
        status = "stopping"
        active = {0: "none is", 1: "one is still"}.get(
            stopped.active, f"{stopped.active} are still"
        )
        message = f"No new run starts; {active} active."
    return {"status": status, "message": message, "active_run_count": stopped.active}


def hot_reload_enabled(*, is_new: bool) -> Answer:
    """HotReloadResult."""
    return {
        "status": "enabled" if is_new else "already_enabled",
        "message": "Edited plans are loaded at once.",
    }


def hot_reload_disabled(*, is_new: bool) -> Answer:
    """HotReloadResult."""
    return {
        "status": "disabled" if is_new else "already_disabled",
        "message": "Edited plans are loaded by a reload.",
    }


def system_status(status: SystemStatus, *, monitors: int, hot_reload: bool) -> Answer:
    """SystemStatus; `monitors` are connected to the log stream."""
    runs = Counter({state.value: 0 for state in RunState})
    runs.update({state.value: count for state, count in status.counts.by_state.items()})
    log_stream = status.log_stream
    return {
        "is_running": status.state in (SystemState.RUNNING, SystemState.STARTING),
        "state": status.state,
        "version": aura_aio.__version__,
        "started_at": time(status.started_at),
        "uptime_sec": status.uptime_sec,
        "hot_reload": hot_reload,
        "workers": [present(**msgspec.structs.asdict(worker)) for worker in status.workers],
        "runs": runs,
        "queue": {
            "ready_length": status.counts.ready,
            "delayed_length": status.counts.delayed,
        },
        "log_stream": {
            "monitors": monitors,
            "oldest_seq": status.oldest_seq,
            "last_seq": status.last_seq,
            "queued_lines": log_stream.waiting,
            "dropped_entries": log_stream.dropped,
        },
    }


def _task_status(cid: str, run: Run | None) -> Answer:
    if run is None:
        return {"cid": cid, "status": "not_found"}
    return present(
        cid=cid,
        status=run.state,
        plan_name=run.plan_name,
        task_name=run.task_name,
        attempt=run.attempt,
        created_at=time(run.created_at),
        started_at=time(run.started_at),
        finished_at=time(run.finished_at),
    )


def _active_run(run: Run, attempt: ActiveAttempt | None) -> Answer:
    progress = None
    if attempt is not None and attempt.progress is not None:
        progress = present(fraction=attempt.progress, message=attempt.progress_message or None)
    return present(
        cid=run.cid,
        plan_name=run.plan_name,
        task_name=run.task_name,
        status=run.state,
        priority=run.priority,
        labels=run.labels,
        attempt=run.attempt,
        created_at=time(run.created_at),
        started_at=time(run.started_at),
        worker=run.worker,
        current_steps=list(attempt.steps) if attempt is not None else [],
        progress=progress,
    )


def _queue_entry(entry: QueueEntry) -> Answer:
    run = entry.run
    return present(
        cid=run.cid,
        plan_name=run.plan_name,
        task_name=run.task_name,
        priority=run.priority,
        labels=run.labels,
        attempt=run.attempt,
        created_at=time(run.created_at),
        run_at=time(run.run_at),
        position=entry.waiting.position,
        waiting=waiting_view(entry.waiting),
    )


def waiting_view(waiting: Waiting) -> Answer:
    """Waiting."""
    return present(
        position=waiting.position,
        ahead=waiting.ahead,
        reasons=[
            present(
                code=reason.code,
                since=time(reason.since),
                until=time(reason.until),
                resource=reason.resource,
                blocking_cids=reason.blocking_cids,
            )
            for reason in waiting.reasons
        ],
    )


def raw_json(text: bytes | None) -> msgspec.Raw | None:
    """Stored JSON text, to be copied into the answer as it is."""
    return None if text is None else msgspec.Raw(text)
