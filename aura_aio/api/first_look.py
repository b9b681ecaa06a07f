"""A first look at a request: most are good, and that is seen quickly.

May import aiohttp, contract, and of `api` `bodies`, `compiled` and `query_texts`.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from math import isfinite
from typing import Any, Final

from aiohttp import web
from multidict import istr

from aura_aio.api.bodies import body_of
from aura_aio.api.compiled import (
    Compiled,
    Loaded,
    compiled_body,
    compiled_parameters,
    followed,
)
from aura_aio.api.query_texts import flag_of, integer_of, number_of
from aura_aio.contract.document import Contract, Operation, Parameter
from aura_aio.contract.references import Json


class FirstLook:
    """What one operation takes, compiled. See docs/decisions/0051-good-requests-pass-quickly.md.

    A body with more brackets than `max_json_depth` might be nested too deeply. Each part is
    compiled when the first request comes.
    """

    def __init__(self, contract: Contract, operation: Operation, max_json_depth: int) -> None:
        self._components = contract.components
        self._operation = operation
        self._max_json_depth = max_json_depth

    @cached_property
    def query(self) -> "Query":
        """What its query may be."""
        return Query(self._operation.query_parameters, self._components)

    @cached_property
    def _path(self) -> Compiled | None:
        parameters = self._operation.path_parameters
        if not parameters:
            return None
        return compiled_parameters(parameters, self._components, is_strict=True)

    @cached_property
    def _headers(self) -> "_Headers | None":
        parameters = self._operation.header_parameters
        if not parameters:
            return None
        compiled = compiled_parameters(parameters, self._components, is_strict=False)
        return _Headers(parameters, compiled)

    @cached_property
    def _body(self) -> Compiled | None:
        name = self._operation.body
        return None if name is None else compiled_body(self._components, name)

    async def passes(self, request: web.Request) -> bool:
        """Whether it is certain that the request is good; then what it says stands at it, as the
        validation middleware puts it there. If not, nothing is said, neither good nor bad.
        """
        query = self.query.of(request.query) if "?" in request.raw_path else self.query.none()
        if query is None:
            return False
        path = None if self._path is None else self._path.convert(dict(request.match_info))
        headers = None if self._headers is None else self._headers.of(request)
        body = None if self._body is None else self._decoded(self._body, await body_of(request))
        request["querystring"] = query
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


class Query:
    """The parameters in the query of an operation; those that are lists are not looked at here."""

    def __init__(self, parameters: tuple[Parameter, ...], components: Mapping[str, Json]) -> None:
        self._compiled = compiled_parameters(parameters, components, is_strict=True)
        self._readers = {
            each.name: reader
            for each in parameters
            if (reader := _READERS.get(followed(each.schema, components)["type"])) is not None
        }
        self._none = self._compiled.convert({})

    def none(self) -> Loaded | None:
        """What it means when there are none of them, as nearly always."""
        return None if self._none is None else self._none.copy()

    def of(self, sent: Mapping[str, str]) -> Loaded | None:
        """Those of a request, if they are certainly good."""
        given: Loaded = {}
        for name, text in sent.items():
            reader = self._readers.get(name)
            value = None if reader is None or name in given else reader(text)
            if value is None:
                return None
            given[name] = value
        return self._compiled.convert(given)


def _finite(text: str) -> float | None:
    number = number_of(text)
    return None if number is None or not isfinite(number) else number


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "string": str,
    "integer": integer_of,
    "number": _finite,
    "boolean": flag_of,
}


class _Headers:
    """The headers that an operation reads."""

    def __init__(self, parameters: tuple[Parameter, ...], compiled: Compiled) -> None:
        self._compiled = compiled
        self._none = compiled.convert({})
        """What it means when there are none of them, as nearly always."""
        self._names = tuple(istr(each.name) for each in parameters)

    def of(self, request: web.Request) -> Loaded | None:
        """Those of a request, if they are certainly good."""
        sent = request.headers
        given = {str(name): sent.getall(name) for name in self._names if name in sent}
        if not given:
            return None if self._none is None else self._none.copy()
        if any(len(values) > 1 for values in given.values()):
            return None
        return self._compiled.convert({name: value for name, (value,) in given.items()})
