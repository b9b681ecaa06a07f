"""The operations of the tag `tasks`.

May import aiohttp, scheduler's request types, model, and the rest of `api` but `app`, `routes`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from aura_aio.api import views
from aura_aio.api.access import must_see
from aura_aio.api.answers import answer
from aura_aio.api.keys import GRANT, SCHEDULER
from aura_aio.api.validation import check_batch_item
from aura_aio.model.errors import AuraError, BadReference, PlanNotFound
from aura_aio.model.ports import IdempotencyKey
from aura_aio.scheduler.admission import RunRequest

_canonical = msgspec.json.Encoder(order="sorted")


async def run_task(request: web.Request) -> web.Response:
    """runTask."""
    wanted = _run_request(request, request["json"])
    accepted = await request.app[SCHEDULER].run_ad_hoc_task(wanted, _idempotency(request))
    (cid,) = accepted.cids
    headers = {"Location": f"/api/runs/{cid}"} | _replayed(accepted.replayed)
    body = views.run_accepted(cid, wanted.plan_name, wanted.task_name)
    return answer(body, status=202, headers=headers)


async def run_task_batch(request: web.Request) -> web.Response:
    """runTaskBatch."""
    body = request["json"]
    batch = await request.app[SCHEDULER].run_batch_ad_hoc_tasks(
        [_run_request_or_why_not(request, item) for item in body["tasks"]],
        atomic=body["atomic"],
        idempotency=_idempotency(request),
    )
    return answer(views.batch_result(batch), status=202, headers=_replayed(batch.replayed))


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


async def update_task_priority(request: web.Request) -> web.Response:
    """updateTaskPriority."""
    cid, priority = request["match_info"]["cid"], request["json"]["priority"]
    run = await request.app[SCHEDULER].queue.set_priority(cid, priority)
    return answer(views.run_summary(run))


def _run_request(request: web.Request, body: Mapping[str, Any]) -> RunRequest:
    """A validated AdHocTaskRequest for the Scheduler: its date-time becomes seconds.

    Raises:
        BadReference: the plan is not one that who asks may see.
    """
    try:
        must_see(request, body["plan_name"])
    except PlanNotFound as error:
        raise BadReference(str(error)) from error
    run_at = body.get("run_at")
    if run_at is None:
        return RunRequest(**body)
    return RunRequest(**{**body, "run_at": run_at.timestamp()})


def _run_request_or_why_not(request: web.Request, item: Any) -> RunRequest | AuraError:
    checked = check_batch_item(item)
    if isinstance(checked, AuraError):
        return checked
    try:
        return _run_request(request, checked)
    except BadReference as error:
        return error


def _idempotency(request: web.Request) -> IdempotencyKey | None:
    """The client's key for the body, whose white space makes no difference.

    Nor may one who is narrowed to plans get the answer that another one got for the same body.
    """
    key = request["headers"].get("idempotency_key")
    if key is None:
        return None
    plans = request[GRANT].plans
    asked = [request.path, request["json"], *([] if plans is None else sorted(plans))]
    return request.app[SCHEDULER].runs.idempotency_key(key, _canonical.encode(asked))


def _replayed(replayed: bool) -> dict[str, str]:
    return {"Idempotent-Replayed": "true"} if replayed else {}
