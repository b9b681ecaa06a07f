"""Who asks for a change, of what, and what came of it, on its way into the audit trail.

May import aiohttp, contract, scheduler, model, and of `api` `keys` and `problems`.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web

from aura_aio.api.keys import GRANT, REQUEST_ID, SCHEDULER
from aura_aio.api.problems import InvalidRequest
from aura_aio.contract.document import Operation
from aura_aio.model.access import Scope
from aura_aio.model.audit import LOCAL, AuditOutcome, Note, current_note, noting
from aura_aio.model.errors import AuraError, StoreUnavailable

_log = logging.getLogger("aura.api.audit")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_NAMES: Final = ("cid", "plan_name", "task_name", "schedule_id", "token_id")


def done_statuses(operations: Mapping[Any, Operation]) -> dict[Any, int]:
    """The operations that may change something, by their handlers, with the status that says that
    they have done so.
    """
    return {
        handler: operation.success.status
        for handler, operation in operations.items()
        if operation.method != "GET" and operation.scope in (Scope.RUN, Scope.ADMIN)
    }


async def audited(
    request: web.Request, handler: Handler, operation_id: str, done: int
) -> web.StreamResponse:
    """The answer of `handler`, while it is noted who asks for what; `done` is the status of one
    that was no dry run.

    The store keeps the note with the change; what is left to be kept here is what has changed
    nothing there, or was refused. Requests that are not as the contract demands are no attempts,
    and one that may be repeated later (429, 503) has not come to its end.
    """
    note = _note(request, operation_id)
    with noting(note):
        try:
            response = await handler(request)
        except AuraError as error:
            if getattr(error, "retry_after_sec", None) is None:
                await _keep(request, note, AuditOutcome.REFUSED, error.code)
            raise
        except (web.HTTPException, InvalidRequest):
            raise
        except Exception:  # what it was, the log has
            await _keep(request, note, AuditOutcome.FAILED)
            raise
        if response.status == done and not note.written:
            await _keep(request, note, AuditOutcome.DONE)
        return response


def note_what(request: web.Request) -> None:
    """Add what a request is about, once its parameters and its body have been checked."""
    note = current_note()
    if note is None:
        return
    body = request.get("json")
    named = {**(body if isinstance(body, dict) else {}), **request.get("match_info", {})}
    for name in _NAMES:
        value = named.get(name)
        if isinstance(value, str):
            setattr(note, name, value)
    if note.operation == "createSchedule":
        note.schedule_id = named.get("id")


def _note(request: web.Request, operation_id: str) -> Note:
    grant = request[GRANT]
    return Note(
        operation_id,
        by_token=grant.token_id,
        by_name=LOCAL if grant.token_id is None else grant.token_name,
        remote=request.remote,
        request_id=request[REQUEST_ID],
    )


async def _keep(
    request: web.Request, note: Note, outcome: AuditOutcome, reason: str | None = None
) -> None:
    """Keep what no transaction has kept; what cannot be kept is told in the log: it has happened
    all the same.
    """
    if note.written:
        return
    try:
        await request.app[SCHEDULER].logs.keep_audit_event(note, outcome, reason)
    except StoreUnavailable as error:
        _log.error(
            "an event of the audit trail is not kept",
            extra={
                "action": "audit_not_kept",
                "operation": note.operation,
                "by": note.by_name,
                "outcome": outcome.value,
                "reason": str(error),
                "request_id": request.get(REQUEST_ID),  # each is said, not once a minute
            },
        )
