"""From bytes to validated data: how bodies are read, and how faults are told.

May import webargs, marshmallow, model, and of `api` `bodies`, `compiled`, `keys`, `problems`,
`schemas`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

import marshmallow
import msgspec
from aiohttp import web
from multidict import MultiDict, MultiDictProxy
from webargs.aiohttpparser import AIOHTTPParser

from aura_aio.api.bodies import body_of
from aura_aio.api.compiled import Compiled
from aura_aio.api.keys import HTTP_SETTINGS, TAKES_TICKET, TICKET
from aura_aio.api.problems import FieldError, InvalidRequest
from aura_aio.api.schemas.tasks import AdHocTaskRequestSchema
from aura_aio.model import json
from aura_aio.model.errors import AuraError, NotJson, RequestInvalid
from aura_aio.model.pointers import below

_LOCATIONS: Final = {
    "json": "body",
    "querystring": "query",
    "query": "query",
    "match_info": "path",
    "headers": "header",
}

_task_schema = AdHocTaskRequestSchema()
_good_task = Compiled(_task_schema)


class Parser(AIOHTTPParser):
    """Reads bodies as strict JSON: no NaN, no lone surrogates, no name twice, nothing after the
    end.
    """

    def load_querystring(self, req: web.Request, schema: marshmallow.Schema) -> Any:
        """The query, without the ticket: that is no parameter, but says who asks."""
        query = req.query
        if req.get(TAKES_TICKET) and TICKET in query:
            query = MultiDictProxy(MultiDict(each for each in query.items() if each[0] != TICKET))
        return self._makeproxy(query, schema)

    async def load_json(self, req: web.Request, schema: marshmallow.Schema) -> Any:
        """The JSON value of the body; an absent body is an empty object, so the defaults hold.

        Raises:
            NotJson: it is no JSON text, or nested more deeply than the settings allow.
        """
        body = await body_of(req)
        if not body:
            return {}
        try:
            return _shallow(json.loads_strictly(body), body, req.app[HTTP_SETTINGS].max_json_depth)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise NotJson(str(error)) from error
        except RecursionError as error:
            raise NotJson("it is nested too deeply") from error


def refuse(
    error: marshmallow.ValidationError,
    _request: web.Request,
    _schema: marshmallow.Schema,
    **_options: Any,
) -> NoReturn:
    """Tell all faults that a schema found (webargs' `error_callback`).

    Raises:
        InvalidRequest: always.
    """
    raise InvalidRequest(
        [
            FieldError(_LOCATIONS.get(location, location), pointer, message)
            for location, messages in _messages(error).items()
            for pointer, message in _faults(messages)
        ]
    ) from error


async def must_have_body(request: web.Request) -> None:
    """Return if there is a body, be it an empty object: what has no required property passes as
    one that is absent, and a client that lost its filters must not mean everything.

    Raises:
        InvalidRequest: there is none.
    """
    if not await body_of(request):
        raise InvalidRequest([FieldError("body", "", "The operation needs a body.")])


def must_be_few(tasks: Sequence[Any], most: int) -> None:
    """Return if the batch is not larger than the settings allow; the contract allows 1,000.

    Raises:
        RequestInvalid: it is.
    """
    if len(tasks) > most:
        told = f"Longer than maximum length {most}, which this server allows."
        raise RequestInvalid([("/tasks", told)])


def check_batch_item(item: Any) -> dict[str, Any] | AuraError:
    """One task of a batch as validated data, or what is wrong with it: marshmallow is asked only
    where that is not certain at the first look.
    """
    found = _good_task.convert(item) if isinstance(item, dict) else None
    if found is not None:
        return found
    try:
        checked: dict[str, Any] = _task_schema.load(item)
    except marshmallow.ValidationError as error:
        return RequestInvalid(tuple(_faults(_messages(error))))
    return checked


def _shallow(value: Any, body: bytes, most: int) -> Any:
    """`value`, if it is nested `most` deep at the most. To count brackets costs a microsecond, and
    answers for nearly every body; only where there are many is the value itself looked at.
    """
    if body.count(b"[") + body.count(b"{") <= most:
        return value
    level, depth = [value], 0
    while level := [each for each in level if isinstance(each, list | dict)]:
        depth += 1
        if depth > most:
            raise NotJson(f"it is nested more than {most} deep")
        level = [
            inner for each in level for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return value


def _messages(error: marshmallow.ValidationError) -> dict[str, Any]:
    messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
    return messages


def _faults(messages: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """(JSON Pointer, message) for each fault in marshmallow's tree of messages."""
    if isinstance(messages, Mapping):
        for name, told in messages.items():
            place = pointer if name == "_schema" else below(pointer, str(name))
            yield from _faults(told, place)
    elif isinstance(messages, list):
        for message in messages:
            yield from _faults(message, pointer)
    else:
        yield pointer, str(messages)
