"""Who judges what a first look has not let pass: brought when there is time, or somebody needs it.

May import aiohttp, contract, and model's coroutines and errors.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, Protocol

from aiohttp import web

from aura_aio.contract.document import Operation
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.errors import AuraError

WHEN_IDLE_SEC: Final = 0.1
"""So long after the start they are brought if nobody needed them: who waited for it goes first."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Judging(Protocol):
    """What they are asked; `judging` implements it."""

    async def judge(
        self, request: web.Request, operation: Operation, handler: Handler
    ) -> web.StreamResponse:
        """What `handler` answers, if the schemas of `operation` let the request pass."""
        ...

    async def parse(self, *args: Any, **options: Any) -> Any:
        """What a schema makes of a part of a request; asked by aiohttp-apispec."""
        ...

    def judge_task(self, item: Any) -> dict[str, Any] | AuraError:
        """One task of a batch as validated data, or what is wrong with it."""
        ...

    def swagger(self, operations: Iterable[tuple[Operation, str | None]], version: str) -> bytes:
        """The Swagger 2.0 view of operations, each with its text."""
        ...


class Judges:
    """aiohttp-apispec, webargs and marshmallow with our schemas; a good request needs none of them.

    To import them, as `bring` does, takes a tenth of a second, in a thread.
    """

    def __init__(self, bring: Callable[[], Judging]) -> None:
        self._bring = bring
        self._here: Judging | None = None
        self._coming = asyncio.Lock()
        self._tasks = CoroutineTasks()

    async def come(self) -> Judging:
        """They, brought if they are not here yet."""
        if self._here is None:
            async with self._coming:
                if self._here is None:
                    self._here = await asyncio.to_thread(self._bring)
        return self._here

    def come_when_idle(self) -> None:
        """Have them brought soon."""
        self._tasks.spawn(self._come_later())

    async def aclose(self) -> None:
        """Have nobody brought any more."""
        await self._tasks.aclose()

    async def _come_later(self) -> None:
        await asyncio.sleep(WHEN_IDLE_SEC)
        await self.come()
