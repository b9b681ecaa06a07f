"""From bytes to validated data: how bodies are read, and how faults are told.

May import webargs, marshmallow, model, and of `api` `bodies`, `keys`, `problems`, `schemas`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

import marshmallow
import msgspec
from aiohttp import web
from multidict import MultiDict, MultiDictProxy
from webargs.aiohttpparser import AIOHTTPParser

from aura_aio.api.bodies import body_of
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


def judged_task(item: Any) -> dict[str, Any] | AuraError:
    """One task of a batch as validated data, or what is wrong with it."""
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
