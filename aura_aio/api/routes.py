"""Operations of the contract ↔ handlers, checked both ways.

May import aiohttp, contract, and the rest of `api` but `app` and `judging`.
"""

import asyncio
import inspect
import warnings
from collections.abc import Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any, Final

from aiohttp import web

from aura_aio.api.access import hold_to_plans
from aura_aio.api.answers import tagged_text
from aura_aio.api.audit import note_what
from aura_aio.api.bodies import must_have_body
from aura_aio.api.compiled import compiled_body
from aura_aio.api.first_look import FirstLook
from aura_aio.api.handlers import auth, health, logs, plans, queue, runs, schedules, system, tasks
from aura_aio.api.judges import Handler, Judges, Judging
from aura_aio.api.keys import GOOD_TASK, GRANT, HTTP_SETTINGS, JUDGES
from aura_aio.contract.document import Contract, Operation
from aura_aio.model.errors import ContractError

# aiohttp-apispec keeps its state under string keys, which aiohttp warns about at every request
# (decision 0004).
warnings.filterwarnings("ignore", category=web.NotAppKeyWarning)

_TASK_OF_A_BATCH: Final = "AdHocTaskRequest"

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
    judges = app[JUDGES] = Judges(_judging)
    app[GOOD_TASK] = compiled_body(contract.components, _TASK_OF_A_BATCH)
    operations = {
        _looked_at(
            handlers[operation.handler_name], FirstLook(contract, operation, depth), operation
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
    _let_come(app, judges)
    app["_apispec_parser"] = _Parser(judges)
    app["_apispec_request_data_name"] = "data"
    view = _SwaggerView(judges, operations, contract.version)
    app.router.add_get("/api/docs/swagger.json", view.answer)
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


def _looked_at(handler: Handler, look: FirstLook, operation: Operation) -> Handler:
    """A coroutine of its own for each application, since the decorators write on it.

    What is as the contract demands comes to `handler`: what is certainly so at the first look, and
    all else that aiohttp-apispec and marshmallow let pass.
    """

    async def looked_at(request: web.Request) -> web.StreamResponse:
        if not await look.passes(request):
            judging = await request.app[JUDGES].come()
            return await judging.judge(request, operation, judged)
        await _may(request, operation)
        return await handler(request)

    async def judged(request: web.Request) -> web.StreamResponse:
        await _may(request, operation)
        if operation.body_required:
            await must_have_body(request)
        return await handler(request)

    looked_at.__doc__ = handler.__doc__
    return looked_at


async def _may(request: web.Request, operation: Operation) -> None:
    """Return if who asks may have what a valid request is about.

    Raises:
        As `hold_to_plans`.
    """
    note_what(request)
    if operation.scope is not None and request[GRANT].plans is not None:
        await hold_to_plans(request, operation)


def _judging() -> Judging:
    from aura_aio.api.judging import MarshmallowJudging  # noqa: PLC0415 - few starts need it

    return MarshmallowJudging()


def _let_come(app: web.Application, judges: Judges) -> None:
    async def started(_: web.Application) -> None:
        judges.come_when_idle()

    async def ended(_: web.Application) -> None:
        await judges.aclose()

    app.on_startup.append(started)
    app.on_cleanup.append(ended)


class _Parser:
    """Whom aiohttp-apispec asks to read a part of a request: the judges, who have come then."""

    def __init__(self, judges: Judges) -> None:
        self._judges = judges

    async def parse(self, *args: Any, **options: Any) -> Any:
        """What a schema makes of the part."""
        return await (await self._judges.come()).parse(*args, **options)


class _SwaggerView:
    """The Swagger 2.0 view of the operations.

    It is made when somebody first asks for it: that takes as long as all else of a start.
    """

    def __init__(
        self, judges: Judges, operations: Mapping[Handler, Operation], version: str
    ) -> None:
        self._judges = judges
        self._operations = [(each, handler.__doc__) for handler, each in operations.items()]
        self._version = version
        self._made: bytes | None = None
        self._making = asyncio.Lock()

    async def answer(self, request: web.Request) -> web.Response:
        """The document, with its entity tag."""
        judging = await self._judges.come()
        async with self._making:
            if self._made is None:
                make = partial(judging.swagger, self._operations, self._version)
                self._made = await asyncio.to_thread(make)
        return tagged_text(request, self._made)
