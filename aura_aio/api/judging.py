"""Requests judged by aiohttp-apispec and marshmallow; the only user of the former.

May import aiohttp, aiohttp-apispec, contract, and of `api` `judges`, `schemas` and `validation`. It
brings much along: see `judges`.
"""

from collections.abc import Iterable
from typing import Any

from aiohttp import web
from aiohttp_apispec import (
    headers_schema,
    json_schema,
    match_info_schema,
    querystring_schema,
    response_schema,
    setup_aiohttp_apispec,
    validation_middleware,
)

from aura_aio.api.judges import Handler
from aura_aio.api.schemas import (
    body_schema_of,
    component_schema,
    headers_schema_of,
    path_schema_of,
    query_schema_of,
)
from aura_aio.api.validation import Parser, judged_task, refuse
from aura_aio.contract.document import Contract, Operation
from aura_aio.model import json
from aura_aio.model.errors import AuraError


class MarshmallowJudging:
    """Implements `Judging`."""

    def __init__(self) -> None:
        self._parser = Parser()  # strict JSON, and no state that applications share
        self._parser.error_callback = refuse

    async def judge(
        self, request: web.Request, operation: Operation, handler: Handler
    ) -> web.StreamResponse:
        """What `handler` answers, if the schemas of `operation` let the request pass."""
        routed: Any = request.match_info.handler
        if not hasattr(routed, "__schemas__"):
            _with_request_schemas(routed, operation)
        response: web.StreamResponse = await validation_middleware(request, handler)
        return response

    async def parse(self, *args: Any, **options: Any) -> Any:
        """What a schema makes of a part of a request; asked by aiohttp-apispec."""
        return await self._parser.parse(*args, **options)

    def judge_task(self, item: Any) -> dict[str, Any] | AuraError:
        """One task of a batch as validated data, or what is wrong with it."""
        return judged_task(item)

    def swagger(self, operations: Iterable[tuple[Operation, str | None]], version: str) -> bytes:
        """The Swagger 2.0 view of operations, each with its text."""
        routes = web.Application()
        for operation, text in operations:
            routes.router.add_route(operation.method, operation.path, _shown(operation, text))
        setup_aiohttp_apispec(routes, title="Aura", version=version, in_place=True)
        return json.dumps(routes["swagger_dict"])


def must_be_mirrored(contract: Contract) -> None:
    """Return if there is a schema for all that is asked and answered in JSON.

    Raises:
        ContractError: there is not.
    """
    for operation in contract.operations:
        _with_answer_schemas(_with_request_schemas(_nothing(), operation), operation)


def _shown(operation: Operation, text: str | None) -> Any:
    shown = _with_answer_schemas(_with_request_schemas(_nothing(), operation), operation)
    shown.__doc__ = text
    return shown


def _nothing() -> Any:
    """A new handler, for the decorators to write on."""

    async def nothing(_: web.Request) -> web.StreamResponse:
        raise web.HTTPNotFound

    return nothing


def _with_request_schemas(handler: Any, operation: Operation) -> Any:
    querystring_schema(query_schema_of(operation))(handler)
    if (path := path_schema_of(operation)) is not None:
        match_info_schema(path)(handler)
    if (headers := headers_schema_of(operation)) is not None:
        headers_schema(headers)(handler)
    if (body := body_schema_of(operation)) is not None:
        json_schema(body, required=operation.body_required)(handler)
    return handler


def _with_answer_schemas(handler: Any, operation: Operation) -> Any:
    for answer in operation.answers:
        if answer.component is not None:
            response_schema(component_schema(answer.component), answer.status)(handler)
    return handler
