"""How a run went step by step, or would go, as answers: the counterpart of `views` for steps.

May import scheduler, model and `api.views`.
"""

from collections import Counter
from collections.abc import Sequence

from aura_aio.api.views import Answer, page, present, raw_json, time, waiting_view
from aura_aio.model.callback import Callback, CallbackStatus
from aura_aio.model.plan import StepStatus
from aura_aio.model.run import HANDED_DOWN, CallRecord, Run, StepRecord
from aura_aio.model.states import TERMINAL, RunState
from aura_aio.scheduler.redo import Redoing
from aura_aio.scheduler.rehearsal import Rehearsal
from aura_aio.scheduler.retries import Retry


def timeline(run: Run, steps: Sequence[StepRecord]) -> Answer:
    """RunTimeline."""
    return present(
        cid=run.cid,
        status=run.state,
        started_at=time(run.started_at),
        finished_at=time(run.finished_at),
        steps=[_step(run, record) for record in steps],
    )


def run_callbacks(callback: Callback | None) -> Answer:
    """RunCallbackList. The query of the address is not shown: receivers have keys there."""
    if callback is None:
        return page(())
    url, _, query = callback.url.partition("?")
    return page(
        present(
            number=each.number,
            status=CallbackStatus.DELIVERED if each.error is None else CallbackStatus.FAILED,
            started_at=time(each.started_at),
            duration_sec=each.duration_sec,
            status_code=each.status_code,
            error=each.error,
            next_at=time(each.next_at),
        )
        for each in callback.tries
    ) | present(
        url=f"{url}?…" if query else url, status=callback.status, next_at=time(callback.next_at)
    )


def dry_run(found: Rehearsal) -> Answer:
    """DryRun."""
    return {
        "plan_name": found.plan_name,
        "task_name": found.task_name,
        "definition_digest": found.definition_digest,
        "inputs": raw_json(found.inputs),
        "waiting": waiting_view(found.waiting),
        "limits": [
            present(
                code=limit.code, resource=limit.resource, most=limit.most, is_full=limit.is_full
            )
            for limit in found.limits
        ],
        "steps": [
            {
                "node_id": step.step,
                "action": step.action,
                "outlook": step.outlook,
                "why": step.why,
            }
            for step in found.steps
        ],
    }


def retry_result(retry: Retry) -> Answer:
    """RetryResult; of one that was only asked about without a status and a cid."""
    counts = Counter(step.action for step in retry.steps)
    again, kept = counts[Redoing.RUN], counts.total() - counts[Redoing.RUN]
    if retry.cid is None:
        status, message = None, f"{again} step(s) would be run, {kept} kept. Nothing was started."
    else:
        status = RunState.QUEUED
        message = f"A new run is queued: {again} step(s) are run, {kept} kept."
    return present(
        status=status,
        message=message,
        cid=retry.cid,
        retry_of=retry.retry_of,
        steps=[
            {"node_id": step.step, "action": step.action, "why": step.why} for step in retry.steps
        ],
    )


def _step(run: Run, record: StepRecord) -> Answer:
    is_reused = record.attempt == HANDED_DOWN
    status = record.status
    if status == StepStatus.RUNNING and (run.state in TERMINAL or record.attempt != run.attempt):
        status = "lost"
    return present(
        node_id=record.step,
        attempt=None if is_reused else record.attempt,
        is_reused=is_reused,
        status=status,
        started_at=time(record.started_at),
        finished_at=time(record.finished_at),
        tries=record.tries,
        worker=record.worker,
        error=record.error,
        calls=[_call(call) for call in record.calls] or None,
    )


def _call(call: CallRecord) -> Answer:
    return present(
        loop_index=call.loop_index,
        tried=call.tried,
        status=call.status,
        started_at=time(call.started_at),
        finished_at=time(call.finished_at),
    )
