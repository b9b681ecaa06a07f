"""Operations of the contract ↔ handlers, checked both ways; the only user of aiohttp-apispec.

May import aiohttp, aiohttp-apispec, contract, and the rest of `api` but `app`.
"""

import asyncio
import inspect
import warnings
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import ModuleType
from typing import Final

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

from aura_aio.api.access import hold_to_plans
from aura_aio.api.answers import tagged_text
from aura_aio.api.audit import note_what
from aura_aio.api.first_look import FirstLook
from aura_aio.api.handlers import auth, health, logs, plans, queue, runs, schedules, system, tasks
from aura_aio.api.keys import GRANT, HTTP_SETTINGS
from aura_aio.api.schemas import (
    body_schema_of,
    component_schema,
    headers_schema_of,
    path_schema_of,
    query_schema_of,
)
from aura_aio.api.validation import Parser, must_have_body, refuse
from aura_aio.contract.document import Contract, Operation
from aura_aio.model import json
from aura_aio.model.errors import ContractError

# It keeps its state under string keys, which aiohttp warns about at every request (decision 0004).
warnings.filterwarnings("ignore", category=web.NotAppKeyWarning)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HANDLER_MODULES: Final = (auth, health, logs, plans, queue, runs, schedules, system, tasks)


def bind(app: web.Application, contract: Contract) -> dict[Handler, Operation]:
    """Route every operation of `contract` to its handler, with its schemas before it.

    Answers the operation of each handler, as the routes have it.

    Raises:
        ContractError: an operation has no handler, or a handler no operation; all are named.
    """
    handlers = dict(_handlers(HANDLER_MODULES))
    _check_names(contract, handlers)
    depth = app[HTTP_SETTINGS].max_json_depth
    operations = {
        _decorated(
            handlers[operation.handler_name], FirstLook(operation, depth), operation
        ): operation
        for operation in contract.operations
    }
    for handler, operation in operations.items():
        if operation.method == "GET":
            app.router.add_get(operation.path, handler, name=operation.operation_id)
        else:
            app.router.add_route(
                operation.method, operation.path, handler, name=operation.operation_id
            )
    parser = Parser()
    parser.error_callback = refuse
    app["_apispec_parser"] = parser  # strict JSON, and no state that applications share
    app["_apispec_request_data_name"] = "data"
    app.router.add_get("/api/docs/swagger.json", _SwaggerView(operations, contract.version).answer)
    return operations


def _handlers(modules: tuple[ModuleType, ...]) -> Iterator[tuple[str, Handler]]:
    """The public coroutines that the handler modules define."""
    for module in modules:
        for name, value in vars(module).items():
            if (
                inspect.iscoroutinefunction(value)
                and value.__module__ == module.__name__
                and not name.startswith("_")
            ):
                yield name, value


def _check_names(contract: Contract, handlers: Mapping[str, Handler]) -> None:
    wanted = {operation.handler_name: operation.operation_id for operation in contract.operations}
    faults = [
        f"operation {operation_id} has no handler {name}"
        for name, operation_id in wanted.items()
        if name not in handlers
    ]
    faults += [f"handler {name} has no operation" for name in handlers if name not in wanted]
    if faults:
        raise ContractError("Contract and handlers do not fit: " + "; ".join(faults) + ".")


def _decorated(handler: Handler, look: FirstLook, operation: Operation) -> Handler:
    """A coroutine of its own for each application, since the decorators write on it.

    What is as the contract demands comes to `handler`: what is certainly so at the first look, and
    all else that aiohttp-apispec and marshmallow let pass.
    """

    async def decorated(request: web.Request) -> web.StreamResponse:
        if not await look.passes(request):
            response: web.StreamResponse = await validation_middleware(request, judged)
            return response
        await _may(request, operation)
        return await handler(request)

    async def judged(request: web.Request) -> web.StreamResponse:
        await _may(request, operation)
        if operation.body_required:
            await must_have_body(request)
        return await handler(request)

    decorated.__doc__ = handler.__doc__
    querystring_schema(query_schema_of(operation))(decorated)
    if (path := path_schema_of(operation)) is not None:
        match_info_schema(path)(decorated)
    if (headers := headers_schema_of(operation)) is not None:
        headers_schema(headers)(decorated)
    if (body := body_schema_of(operation)) is not None:
        json_schema(body, required=operation.body_required)(decorated)
    for answer in operation.answers:
        if answer.component is not None:
            response_schema(component_schema(answer.component), answer.status)(decorated)
    return decorated


async def _may(request: web.Request, operation: Operation) -> None:
    """Return if who asks may have what a valid request is about.

    Raises:
        As `hold_to_plans`.
    """
    note_what(request)
    if operation.scope is not None and request[GRANT].plans is not None:
        await hold_to_plans(request, operation)


class _SwaggerView:
    """The Swagger 2.0 view of the operations.

    It is made when somebody first asks for it: that takes as long as all else of a start.
    """

    def __init__(self, operations: Mapping[Handler, Operation], version: str) -> None:
        self._operations = operations
        self._version = version
        self._made: bytes | None = None
        self._making = asyncio.Lock()

    async def answer(self, request: web.Request) -> web.Response:
        """The document, with its entity tag."""
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(self._make)
        return tagged_text(request, self._made)

    def _make(self) -> bytes:
        routes = web.Application()
        for handler, operation in self._operations.items():
            routes.router.add_route(operation.method, operation.path, handler)
        setup_aiohttp_apispec(routes, title="Aura", version=self._version, in_place=True)
        return json.dumps(routes["swagger_dict"])
