"""Every error as `application/problem+json` (RFC 9457): ONE table from error to status.

May import aiohttp, model, scheduler's data types, and of `api` `answers`.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from aura_aio.api.answers import NOT_KEPT
from aura_aio.model import errors, json
from aura_aio.model.backup import BackupRefused
from aura_aio.model.callback import CallbackRefused
from aura_aio.model.errors import AuraError
from aura_aio.model.overload import DiskNearlyFull, TooManyMonitors
from aura_aio.model.sizes import InputsTooLarge
from aura_aio.model.store_migration import NotMigrated
from aura_aio.scheduler.runs import Rejection

CONTENT_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:aura:problem:"


class FieldError(msgspec.Struct, frozen=True):
    """One fault in a request: `location` is body, query, path or header; `field` a JSON Pointer."""

    location: str
    field: str
    message: str


class InvalidRequest(Exception):
    """The request is not as the contract demands; raised by validation, answered with 422."""

    def __init__(self, faults: list[FieldError]) -> None:
        super().__init__("invalid request")
        self.faults = faults


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of an error answer."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: tuple[FieldError, ...] = ()
    request_id: str | None = None


TABLE: Final[dict[type[AuraError], tuple[int, str]]] = {
    errors.RunNotFound: (404, "Run not found"),
    errors.PlanNotFound: (404, "Plan not found"),
    errors.TaskNotFound: (404, "Task not found"),
    errors.ScheduleNotFound: (404, "Schedule not found"),
    errors.TokenNotFound: (404, "Token not found"),
    errors.NotFound: (404, "Not found"),
    errors.Unauthenticated: (401, "A token is needed"),
    errors.InvalidToken: (401, "The token is not good"),
    errors.InsufficientScope: (403, "The token does not allow it"),
    errors.NarrowedToken: (403, "The token is narrowed to plans"),
    errors.NotJson: (400, "Not JSON"),
    errors.BadReference: (400, "Unknown plan or task"),
    errors.InputsRejected: (400, "Inputs do not fit the task"),
    errors.UnknownStep: (400, "Unknown step"),
    CallbackRefused: (400, "Callback refused"),
    errors.BatchRejected: (400, "Batch rejected"),
    errors.ReorderRejected: (400, "Order rejected"),
    errors.BadCursor: (400, "Bad cursor"),
    errors.RequestInvalid: (422, "Invalid request"),
    InputsTooLarge: (422, "Inputs too large"),
    errors.IdempotencyMismatch: (422, "Idempotency-Key was used before"),
    errors.RunFinished: (409, "Run has finished"),
    errors.RunNotFinished: (409, "Run has not finished"),
    errors.SealBroken: (409, "Secret inputs cannot be read"),
    errors.NotQueued: (409, "Run is not queued"),
    errors.RunsActive: (409, "Runs are active"),
    errors.ScheduleExists: (409, "Schedule exists"),
    errors.ScheduleReadOnly: (409, "Schedule of a plan"),
    errors.IllegalTransition: (409, "Not possible in this state"),
    errors.Conflict: (409, "Conflict"),
    errors.QueueFull: (429, "Queue is full"),
    errors.StoreUnavailable: (503, "Store unavailable"),
    errors.NotReady: (503, "Not ready"),
    DiskNearlyFull: (503, "Disk is nearly full"),
    TooManyMonitors: (503, "Too many monitors"),
    errors.NotAlive: (503, "Not alive"),
}
"""Each error that a request can cause, and its status and title. Those of the start, and of
steps, are not here: a test walks all subclasses."""

AT_START_ONLY: Final = frozenset(
    {
        errors.DatabaseTooNew,
        errors.DatabaseInUse,
        errors.SettingsError,
        errors.ContractError,
        BackupRefused,
        NotMigrated,
    }
)
"""Errors that stop the start, or a command that needs no server, and so reach no client."""

TO_STEPS_ONLY: Final = frozenset({errors.ParentEnded, errors.TooDeep, errors.EventPassed})
"""Errors that only a step of a run is told, in a sentence."""

_HTTP_TITLES: Final = {
    400: ("bad-request", "Bad request"),
    403: ("forbidden", "Forbidden"),
    404: ("no-such-path", "No such path"),
    405: ("method-not-allowed", "Method not allowed"),
    408: ("too-slow", "Request came too slowly"),
    413: ("body-too-large", "Body too large"),
    414: ("address-too-long", "Address too long"),
    415: ("unsupported-media-type", "Unsupported media type"),
    417: ("expectation-failed", "Expectation failed"),
    426: ("upgrade-required", "Upgrade required"),
    431: ("headers-too-large", "Headers too large"),
}

_BEARER: Final = 'Bearer realm="aura"'

_BY_CODE: Final = {error.code: entry for error, entry in TABLE.items()}


def of_error(error: AuraError) -> Problem:
    """The problem that a domain error is for a client."""
    return of_rejection(Rejection(error.code, str(error), tuple(getattr(error, "faults", ()))))


def of_rejection(rejection: Rejection) -> Problem:
    """The problem of an error that travelled as data."""
    status, title = _BY_CODE[rejection.code]
    return Problem(
        type=TYPE_PREFIX + rejection.code,
        title=title,
        status=status,
        detail=rejection.detail,
        errors=tuple(FieldError("body", place, fault) for place, fault in rejection.faults),
    )


def of_faults(faults: Sequence[FieldError]) -> Problem:
    """The problem of a request that the contract forbids."""
    first = faults[0]
    where = f"{first.location} {first.field}".rstrip()
    count = f"{len(faults)} fault{'s' if len(faults) != 1 else ''}"
    return Problem(
        type=TYPE_PREFIX + "invalid-request",
        title="Invalid request",
        status=422,
        detail=f"The request has {count}. {where}: {first.message}",
        errors=tuple(faults),
    )


def of_http(error: web.HTTPException) -> Problem:
    """The problem of an error that aiohttp raised by itself."""
    name, title = _HTTP_TITLES.get(error.status, ("http", error.reason or "HTTP error"))
    return Problem(
        type=TYPE_PREFIX + name,
        title=title,
        status=error.status,
        detail=_http_detail(error),
    )


def _http_detail(error: web.HTTPException) -> str:
    """A sentence that a person can act on; aiohttp's own text is the status once more."""
    if isinstance(error, web.HTTPNotFound):
        return "There is no such path. The operations of this server stand in /openapi.yaml."
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return f"This path does not take {error.method}; it takes: {allowed}."
    return error.text or error.reason or "The request failed."


def bad_http(status: int, fault: str) -> Problem:
    """The problem of what is no HTTP."""
    title = "Not a request of HTTP/1.1"
    detail = f"{title}: {' '.join(fault.split())}"
    return Problem(TYPE_PREFIX + "bad-http", title, status, detail)


def over_limit(status: int, detail: str) -> Problem:
    """The problem of a request that came too slowly (408), or whose address (414) or headers (431)
    are too large.
    """
    name, title = _HTTP_TITLES[status]
    return Problem(TYPE_PREFIX + name, title, status, detail)


def of_crash(request_id: str) -> Problem:
    """The problem of a fault in this server; what it was stands in its log under `request_id`."""
    return Problem(
        type=TYPE_PREFIX + "internal-error",
        title="Internal error",
        status=500,
        detail="The server failed to answer this request. Its log has more under the request_id.",
        request_id=request_id,
    )


def response(
    problem: Problem, *, instance: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """The answer that carries `problem`; `instance` is the path of the request."""
    return web.Response(
        status=problem.status,
        body=json.dumps(msgspec.structs.replace(problem, instance=instance)),
        content_type=CONTENT_TYPE,
        headers={**NOT_KEPT, **(headers or {})},
    )


def raw(problem: Problem, headers: Mapping[str, str], *, close: bool = True) -> bytes:
    """The whole answer that carries `problem`, for a connection that nothing else is written to at
    this moment, and that ends with it if `close`.
    """
    body = json.dumps(problem)
    told = {**NOT_KEPT, **headers} | {
        "Content-Type": CONTENT_TYPE,
        "Content-Length": str(len(body)),
    }
    if close:
        told["Connection"] = "close"
    lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in told.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def headers_of(error: AuraError) -> dict[str, str]:
    """`Retry-After` of an error that passes by itself, `WWW-Authenticate` of one that a token would
    help against (RFC 6750); empty for the others.
    """
    match error:
        case errors.Unauthenticated():
            return {hdrs.WWW_AUTHENTICATE: _BEARER}
        case errors.InvalidToken():
            return {hdrs.WWW_AUTHENTICATE: f'{_BEARER}, error="invalid_token"'}
        case errors.InsufficientScope(needed=needed):
            told = f'{_BEARER}, error="insufficient_scope", scope="{needed}"'
            return {hdrs.WWW_AUTHENTICATE: told}
        case _:
            pass
    seconds: Any = getattr(error, "retry_after_sec", None)
    return {} if seconds is None else {"Retry-After": str(seconds)}
