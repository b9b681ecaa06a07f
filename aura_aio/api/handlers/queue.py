"""The operations of the tag `queue`.

May import aiohttp, model and the rest of `api` but `app` and `routes`.
"""

from aiohttp import web

from aura_aio.api import views
from aura_aio.api.access import must_see
from aura_aio.api.answers import answer, page_answer
from aura_aio.api.keys import GRANT, SCHEDULER
from aura_aio.api.run_requests import idempotency_of, replayed_header, run_request
from aura_aio.model.errors import NarrowedToken
from aura_aio.model.ports import RunFilter


async def get_queue_overview(request: web.Request) -> web.Response:
    """getQueueOverview."""
    return answer(views.queue_overview(await request.app[SCHEDULER].queue.overview()))


async def list_queue(request: web.Request) -> web.Response:
    """listQueue."""
    query = request["querystring"]
    entries = await request.app[SCHEDULER].queue.list(
        delayed=query["state"] == "delayed",
        limit=query["limit"],
        cursor=query.get("cursor"),
        grant=request[GRANT],
    )
    return page_answer(request, views.queue_list(entries))


async def insert_into_queue(request: web.Request) -> web.Response:
    """insertIntoQueue."""
    body = dict(request["json"])
    index = body.pop("index")
    wanted = run_request(request, body)
    accepted = await request.app[SCHEDULER].queue.insert_into_queue(
        wanted, index=index, idempotency=idempotency_of(request)
    )
    (cid,) = accepted.cids
    headers = {"Location": f"/api/runs/{cid}"} | replayed_header(accepted.replayed)
    body = views.run_accepted(cid, wanted.plan_name, wanted.task_name)
    return answer(body, status=202, headers=headers)


async def reorder_queue(request: web.Request) -> web.Response:
    """reorderQueue."""
    cids = request["json"]["cid_order"]
    await request.app[SCHEDULER].queue.reorder_queue(cids)
    return answer({"moved_count": len(cids)})


async def move_to_front(request: web.Request) -> web.Response:
    """moveToFront."""
    run = await request.app[SCHEDULER].queue.move_to_front(request["match_info"]["cid"])
    return answer(views.run_summary(run))


async def move_to_position(request: web.Request) -> web.Response:
    """moveToPosition."""
    cid, position = request["match_info"]["cid"], request["json"]["position"]
    run = await request.app[SCHEDULER].queue.move_to_position(cid, position)
    return answer(views.run_summary(run))


async def remove_from_queue(request: web.Request) -> web.Response:
    """removeFromQueue."""
    cid = request["match_info"]["cid"]
    await request.app[SCHEDULER].queue.remove_from_queue(cid)
    return answer(views.removed_from_queue(cid))


async def clear_queue(request: web.Request) -> web.Response:
    """clearQueue."""
    where = RunFilter(plan_name=request["querystring"].get("plan_name"), plans=request[GRANT].plans)
    return answer({"removed_count": await request.app[SCHEDULER].queue.clear_queue(where)})


async def pause_queue(request: web.Request) -> web.Response:
    """pauseQueue."""
    plan_name = _plan_to_pause(request)
    if plan_name is not None:
        must_see(request, plan_name)
        request.app[SCHEDULER].plans.get(plan_name)  # a mistyped one would be paused in vain
    pauses = await request.app[SCHEDULER].queue.pause_queue(plan_name)
    return answer(views.queue_pauses(pauses, request[GRANT]))


async def resume_queue(request: web.Request) -> web.Response:
    """resumeQueue."""
    plan_name = _plan_to_pause(request)
    if plan_name is not None and not request[GRANT].sees(plan_name):
        must_see(request, plan_name)  # what it sees may be gone, and be paused still
    pauses = await request.app[SCHEDULER].queue.resume_queue(plan_name)
    return answer(views.queue_pauses(pauses, request[GRANT]))


def _plan_to_pause(request: web.Request) -> str | None:
    """The plan of a validated PauseRequest, or None for the queue as a whole.

    Raises:
        NarrowedToken: who asks may not touch the queue as a whole.
    """
    plan_name: str | None = request["json"].get("plan_name")
    plans = request[GRANT].plans
    if plan_name is None and plans is not None:
        raise NarrowedToken(plans)
    return plan_name
