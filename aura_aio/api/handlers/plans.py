"""The operations of the tag `plans`.

May import aiohttp and the rest of `api` but `app` and `routes`.
"""

from aiohttp import web

from aura_aio.api import plan_views
from aura_aio.api.access import must_see_named
from aura_aio.api.answers import answer, tagged_answer
from aura_aio.api.keys import GRANT, SCHEDULER


async def list_plans(request: web.Request) -> web.Response:
    """listPlans."""
    plans, grant = request.app[SCHEDULER].plans.list(), request[GRANT]
    seen = [plan for plan in plans if grant.sees(plan.name)]
    return tagged_answer(request, plan_views.plan_list(seen))


async def get_plan(request: web.Request) -> web.Response:
    """getPlan."""
    plan = request.app[SCHEDULER].plans.get(request["match_info"]["plan_name"])
    return tagged_answer(request, plan_views.plan_detail(plan))


async def list_plan_tasks(request: web.Request) -> web.Response:
    """listPlanTasks."""
    tasks = request.app[SCHEDULER].plans.tasks(request["match_info"]["plan_name"])
    return tagged_answer(request, plan_views.task_list(tasks))


async def get_task(request: web.Request) -> web.Response:
    """getTask."""
    path = request["match_info"]
    task = request.app[SCHEDULER].plans.task(path["plan_name"], path["task_name"])
    return tagged_answer(request, plan_views.task_detail(task))


async def validate_task(request: web.Request) -> web.Response:
    """validateTask."""
    body = request["json"]
    plan_name = body.get("plan_name")
    if plan_name is not None:
        must_see_named(request, plan_name)
    errors = await request.app[SCHEDULER].plans.validate(
        body["document"], plan_name=plan_name, file=body.get("file"), sees=request[GRANT].sees
    )
    return answer(plan_views.validation(errors))


async def list_actions(request: web.Request) -> web.Response:
    """listActions."""
    actions, grant = await request.app[SCHEDULER].plans.actions(), request[GRANT]
    seen = [each for each in actions if each[0] is None or grant.sees(each[0])]
    return tagged_answer(request, plan_views.action_list(seen))
