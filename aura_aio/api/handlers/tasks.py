"""The operations of the tag `tasks`.

May import aiohttp, scheduler's request types, model, and the rest of `api` but `app`, `routes`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from aura_aio.api import run_views, views
from aura_aio.api.answers import answer
from aura_aio.api.keys import GOOD_TASK, GRANT, HTTP_SETTINGS, JUDGES, SCHEDULER, TRACE
from aura_aio.api.run_requests import idempotency_of, replayed_header, run_request
from aura_aio.model.errors import AuraError, BadReference, RequestInvalid
from aura_aio.model.ports import RunFilter
from aura_aio.model.states import RunState
from aura_aio.model.task_names import task_name
from aura_aio.scheduler.admission import RunRequest
from aura_aio.scheduler.retries import RetryRequest


async def run_task(request: web.Request) -> web.Response:
    """runTask."""
    wanted = run_request(request, request["json"])
    accepted = await request.app[SCHEDULER].run_ad_hoc_task(wanted, idempotency_of(request))
    (cid,) = accepted.cids
    headers = {"Location": f"/api/runs/{cid}"} | replayed_header(accepted.replayed)
    body = views.run_accepted(cid, wanted.plan_name, wanted.task_name)
    return answer(body, status=202, headers=headers)


async def run_task_batch(request: web.Request) -> web.Response:
    """runTaskBatch."""
    body = request["json"]
    _must_be_few(body["tasks"], request.app[HTTP_SETTINGS].max_batch_tasks)
    checked = await _checked(request, body["tasks"])
    batch = await request.app[SCHEDULER].run_batch_ad_hoc_tasks(
        [_run_request_or_why_not(request, item) for item in checked],
        atomic=body["atomic"],
        idempotency=idempotency_of(request),
    )
    return answer(views.batch_result(batch), status=202, headers=replayed_header(batch.replayed))


async def dry_run_task(request: web.Request) -> web.Response:
    """dryRunTask."""
    wanted = run_request(request, request["json"])
    found = await request.app[SCHEDULER].dry_run_task(wanted, request[GRANT])
    return answer(run_views.dry_run(found))


async def get_task_status_batch(request: web.Request) -> web.Response:
    """getTaskStatusBatch."""
    cids = request["json"]["cids"]
    runs = await request.app[SCHEDULER].runs.states(cids)
    grant = request[GRANT]
    seen = {cid: run for cid, run in runs.items() if grant.sees(run.plan_name)}
    return answer(views.task_status_batch(cids, seen))


async def cancel_task(request: web.Request) -> web.Response:
    """cancelTask."""
    cid = request["match_info"]["cid"]
    run = await request.app[SCHEDULER].cancel_task(cid, **request["json"])
    return answer(views.cancel_accepted(run), status=202)


async def retry_task(request: web.Request) -> web.Response:
    """retryTask."""
    cid, body = request["match_info"]["cid"], request["json"]
    retry = await request.app[SCHEDULER].retry_task(
        cid,
        RetryRequest(
            start=body["from"],
            inputs=body["inputs"],
            latest=body["definition"] == "latest",
            dry_run=body["dry_run"],
            trace=request.get(TRACE),
        ),
        idempotency_of(request),
    )
    if retry.cid is None:
        return answer(run_views.retry_result(retry))
    headers = {"Location": f"/api/runs/{retry.cid}"} | replayed_header(retry.replayed)
    return answer(run_views.retry_result(retry), status=202, headers=headers)


async def update_task_priority(request: web.Request) -> web.Response:
    """updateTaskPriority."""
    cid, priority = request["match_info"]["cid"], request["json"]["priority"]
    run = await request.app[SCHEDULER].queue.set_priority(cid, priority)
    return answer(views.run_summary(run))


async def update_task_run_at(request: web.Request) -> web.Response:
    """updateTaskRunAt."""
    cid, body = request["match_info"]["cid"], request["json"]
    run_at = body["run_at"].timestamp() if "run_at" in body else None
    run = await request.app[SCHEDULER].queue.set_run_at(cid, run_at, body.get("delay_sec"))
    return answer(views.run_summary(run))


async def cancel_tasks(request: web.Request) -> web.Response:
    """cancelTasks."""
    body = request["json"]
    how = {name: body[name] for name in ("mode", "grace_sec", "reason") if name in body}
    cancelled = await request.app[SCHEDULER].runs.cancel_tasks(_run_filter(request, body), **how)
    return answer(views.tasks_cancelled(cancelled), status=202)


def _run_filter(request: web.Request, body: Mapping[str, Any]) -> RunFilter:
    """The filter of a validated CancelTasksRequest, for what who asks may see."""
    times = {
        name: body[name].timestamp() for name in ("created_after", "created_before") if name in body
    }
    return RunFilter(
        plan_name=body.get("plan_name"),
        task_name=body.get("task_name") and task_name(body["task_name"]),
        statuses=tuple(RunState(word) for word in body.get("status", ())),
        labels=tuple(body.get("labels", {}).items()),
        q=body.get("q"),
        plans=request[GRANT].plans,
        **times,
    )


def _must_be_few(tasks: Sequence[Any], most: int) -> None:
    """Return if the batch is not larger than the settings allow; the contract allows 1,000.

    Raises:
        RequestInvalid: it is.
    """
    if len(tasks) > most:
        told = f"Longer than maximum length {most}, which this server allows."
        raise RequestInvalid([("/tasks", told)])


async def _checked(
    request: web.Request, tasks: Sequence[Any]
) -> Sequence[dict[str, Any] | AuraError]:
    """Each as validated data, or what is wrong with it: marshmallow is asked only where that is not
    certain at the first look.
    """
    good = request.app[GOOD_TASK]
    found = [good.convert(each) if isinstance(each, dict) else None for each in tasks]
    if None not in found:
        return [each for each in found if each is not None]
    judge_task = (await request.app[JUDGES].come()).judge_task
    return [
        judge_task(item) if each is None else each for item, each in zip(tasks, found, strict=True)
    ]


def _run_request_or_why_not(
    request: web.Request, checked: dict[str, Any] | AuraError
) -> RunRequest | AuraError:
    if isinstance(checked, AuraError):
        return checked
    try:
        return run_request(request, checked)
    except BadReference as error:
        return error
