"""Actions that end when a test lets them, if at all, and what tests do with them.

Imports aura_aio's engine and model, and the harness.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aura_aio import ActionContext
from aura_aio.engine.capture import captured_output
from aura_aio.engine.runner import Runner
from aura_aio.model.run import Outcome
from tests.engine.harness import Bench, bench
from tests.waiting import until

LONG = 30.0
SHORT = 0.05


class Actions:
    """Actions that say when they began, and end when the test lets them, if at all."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()
        self.cleaned_up = False
        self.saw_cancelled = False
        self.calls = 0

    async def waits(self) -> None:
        self.calls += 1
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.get_running_loop().run_in_executor(None, int)
            self.cleaned_up = True

    async def swallows(self, context: ActionContext) -> None:
        self.begun.set()
        while not self.let_go.is_set():
            try:
                await until(self.let_go.is_set, within=LONG)
            except asyncio.CancelledError:
                self.saw_cancelled = True
        context.log("too late")

    async def shrugs(self) -> str:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "as if nothing had happened"
        raise AssertionError

    async def objects(self) -> None:
        self.calls += 1
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("while cleaning up")

    def starts_more(self, context: ActionContext) -> None:
        def more() -> None:
            self.let_go.wait(LONG)
            context.log("too late")
            context.progress(1)
            self.cleaned_up = True

        threading.Thread(target=more).start()

    def listens(self, context: ActionContext) -> None:
        self.begun.set()
        while not context.cancelled:
            self.let_go.wait(0.005)
        self.saw_cancelled = True

    def blocks(self, context: ActionContext) -> None:
        self.calls += 1
        self.begun.set()
        self.let_go.wait(LONG)
        self.saw_cancelled = context.cancelled
        context.log("too late")

    async def at_once(self) -> int:
        return 1

    async def fails(self) -> None:
        self.begun.set()
        raise ValueError


@contextmanager
def stubborn_bench(actions: Actions, folder: Path) -> Iterator[Bench]:
    """A Bench of these actions, which are let go when it is closed."""
    functions = {name: getattr(actions, name) for name in vars(Actions) if name[0] != "_"}
    with bench(folder, functions, grace_sec=SHORT) as table:
        yield table
        actions.let_go.set()


async def cancelled(
    runner: Runner, actions: Actions, *, grace_sec: float, then_kill: bool = False
) -> Outcome:
    """The outcome of a run that is cancelled when its action has begun."""
    with captured_output():
        run = asyncio.ensure_future(runner.run())
        await until(actions.begun.is_set)
        runner.cancel(grace_sec=grace_sec)
        if then_kill:
            runner.cancel(grace_sec=0)
        return await run
