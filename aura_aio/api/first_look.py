"""A first look at a request: most are good, and that is seen quickly.

May import aiohttp, contract, and of `api` `bodies`, `compiled` and `schemas`.
"""

from typing import Any, Final

from aiohttp import web
from marshmallow import Schema, ValidationError
from multidict import istr

from aura_aio.api.bodies import body_of
from aura_aio.api.compiled import Compiled, Loaded
from aura_aio.api.schemas import (
    body_schema_of,
    headers_schema_of,
    path_schema_of,
    query_schema_of,
)
from aura_aio.contract.document import Operation

_IMMUTABLE: Final = (str, int, float, bool)


class FirstLook:
    """What one operation takes, compiled. See docs/decisions/0051-good-requests-pass-quickly.md.

    A body with more brackets than `max_json_depth` might be nested too deeply.
    """

    def __init__(self, operation: Operation, max_json_depth: int) -> None:
        self._max_json_depth = max_json_depth
        self._no_query = _of_nothing(query_schema_of(operation))
        """What a query without parameters means; None if that is not certain."""
        self._path = _compiled(path_schema_of(operation))
        headers = headers_schema_of(operation)
        self._headers = None if headers is None else _Headers(headers)
        self._body = _compiled(body_schema_of(operation))

    async def passes(self, request: web.Request) -> bool:
        """Whether it is certain that the request is good; then what it says stands at it, as the
        validation middleware puts it there. If not, nothing is said, neither good nor bad.
        """
        if self._no_query is None or "?" in request.raw_path:
            return False
        path = None if self._path is None else self._path.convert(dict(request.match_info))
        headers = None if self._headers is None else self._headers.of(request)
        body = None if self._body is None else self._decoded(self._body, await body_of(request))
        request["querystring"] = self._no_query.copy()
        for place, compiled, found in (
            ("match_info", self._path, path),
            ("headers", self._headers, headers),
            ("json", self._body, body),
        ):
            if compiled is not None:
                if found is None:
                    return False
                request[place] = found
        return True

    def _decoded(self, compiled: Compiled, text: bytes) -> Loaded | None:
        if text.count(b"[") + text.count(b"{") > self._max_json_depth:
            return None
        return compiled.decode(text)


class _Headers:
    """The headers that an operation reads."""

    def __init__(self, schema: Schema) -> None:
        self._compiled = Compiled(schema)
        self._none = self._compiled.convert({})
        """What it means when there are none of them, as nearly always."""
        self._names = tuple(istr(each.data_key or name) for name, each in schema.fields.items())

    def of(self, request: web.Request) -> Loaded | None:
        """Those of a request, if they are certainly good."""
        sent = request.headers
        given = {str(name): sent.getall(name) for name in self._names if name in sent}
        if not given:
            return None if self._none is None else self._none.copy()
        if any(len(values) > 1 for values in given.values()):
            return None
        return self._compiled.convert({name: value for name, (value,) in given.items()})


def _compiled(schema: Schema | None) -> Compiled | None:
    return None if schema is None else Compiled(schema)


def _of_nothing(schema: Schema) -> Loaded | None:
    """What no parameters at all mean, None if they are refused, or mean what must not be shared."""
    try:
        loaded: dict[str, Any] = schema.load({})
    except ValidationError:
        return None
    return loaded if all(isinstance(value, _IMMUTABLE) for value in loaded.values()) else None
