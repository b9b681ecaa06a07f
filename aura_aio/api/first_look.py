"""A first look at a request: most are good, and that is seen quickly.

May import aiohttp, contract, and of `api` `compiled`, `keys` and `schemas`.
"""

from typing import Any, Final

from aiohttp import web
from marshmallow import Schema, ValidationError

from aura_aio.api.compiled import Compiled, Loaded
from aura_aio.api.keys import HTTP_SETTINGS
from aura_aio.api.schemas import (
    body_schema_of,
    headers_schema_of,
    path_schema_of,
    query_schema_of,
)
from aura_aio.contract.document import Operation

_IMMUTABLE: Final = (str, int, float, bool)


class FirstLook:
    """What one operation takes, compiled. See docs/decisions/0051-good-requests-pass-quickly.md."""

    def __init__(self, operation: Operation) -> None:
        self._no_query = _of_nothing(query_schema_of(operation))
        """What a query without parameters means; None if that is not certain."""
        self._path = _compiled(path_schema_of(operation))
        headers = headers_schema_of(operation)
        self._headers = _compiled(headers)
        self._header_names = tuple(
            field.data_key or name
            for name, field in (headers.load_fields.items() if headers is not None else ())
        )
        self._body = _compiled(body_schema_of(operation))

    async def passes(self, request: web.Request) -> bool:
        """Whether it is certain that the request is good; then what it says stands at it, as the
        validation middleware puts it there. If not, nothing is said, neither good nor bad.
        """
        if self._no_query is None or "?" in request.raw_path:
            return False
        found: Loaded = {"querystring": dict(self._no_query)}
        if self._path is not None:
            found["match_info"] = self._path.convert(dict(request.match_info))
        if self._headers is not None:
            found["headers"] = self._headers_of(request, self._headers)
        if self._body is not None:
            found["json"] = await _body_of(request, self._body)
        if None in found.values():
            return False
        for place, values in found.items():
            request[place] = values
        return True

    def _headers_of(self, request: web.Request, compiled: Compiled) -> Loaded | None:
        sent = request.headers
        given = {name: sent.getall(name) for name in self._header_names if name in sent}
        if any(len(values) > 1 for values in given.values()):
            return None
        return compiled.convert({name: value for name, (value,) in given.items()})


async def _body_of(request: web.Request, compiled: Compiled) -> Loaded | None:
    """The body; one that might be nested too deeply is not certainly good."""
    text = await request.read()
    if text.count(b"[") + text.count(b"{") > request.app[HTTP_SETTINGS].max_json_depth:
        return None
    return compiled.decode(text)


def _compiled(schema: Schema | None) -> Compiled | None:
    return None if schema is None else Compiled(schema)


def _of_nothing(schema: Schema) -> Loaded | None:
    """What no parameters at all mean, None if they are refused, or mean what must not be shared."""
    try:
        loaded: dict[str, Any] = schema.load({})
    except ValidationError:
        return None
    return loaded if all(isinstance(value, _IMMUTABLE) for value in loaded.values()) else None
