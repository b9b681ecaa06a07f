"""What a request to run a task says, whichever operation takes it.

May import aiohttp, scheduler's request types, model, and of `api` `access` and `keys`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from aura_aio.api.access import must_see_named
from aura_aio.api.keys import GRANT, SCHEDULER, TRACE
from aura_aio.model.ports import IdempotencyKey
from aura_aio.scheduler.admission import RunRequest

_canonical = msgspec.json.Encoder(order="sorted")


def run_request(request: web.Request, body: Mapping[str, Any]) -> RunRequest:
    """A validated AdHocTaskRequest for the Scheduler: its date-time becomes seconds.

    Raises:
        BadReference: the plan is not one that who asks may see.
    """
    must_see_named(request, body["plan_name"])
    wanted = {**body, "trace": request.get(TRACE)}
    run_at = body.get("run_at")
    if run_at is not None:
        wanted["run_at"] = run_at.timestamp()
    return RunRequest(**wanted)


def idempotency_of(request: web.Request) -> IdempotencyKey | None:
    """The client's key for the body, whose white space makes no difference.

    Nor may one who is narrowed to plans get the answer that another one got for the same body.
    """
    key = request["headers"].get("idempotency_key")
    if key is None:
        return None
    plans = request[GRANT].plans
    asked = [request.path, request.get("json"), *([] if plans is None else sorted(plans))]
    return request.app[SCHEDULER].runs.idempotency_key(key, _canonical.encode(asked))


def replayed_header(replayed: bool) -> dict[str, str]:
    """The header that says so, if this is the answer to an earlier request."""
    return {"Idempotent-Replayed": "true"} if replayed else {}
