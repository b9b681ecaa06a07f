"""The turns of a step's loop: `for_each`, `times`, `while` (TASKS.md, "Steps").

May import model, and of `engine` `attempt`, `definitions`, `failures` and `templates`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple

from aura_aio.engine.attempt import Attempt
from aura_aio.engine.definitions import ReadyStep
from aura_aio.engine.failures import LoopFailed
from aura_aio.engine.sandbox import Named
from aura_aio.engine.templates import render, truth
from aura_aio.model.log import LogLevel
from aura_aio.model.plan import Loop

MAX_TURNS: Final = 1_000_000


class Turn(NamedTuple):
    """What one turn gave: what the action returned, and what the step keeps of it."""

    result: Any
    kept: Any


TakeTurn = Callable[[dict[str, Any]], Awaitable[Turn]]
"""Does the step's work once, with the names that its templates see."""


async def run_loop(step: ReadyStep, attempt: Attempt, take_turn: TakeTurn) -> list[Any]:
    """What is kept of all turns, in order. A turn that fails lets those under way finish, and no
    other begins.

    Raises:
        LoopFailed: it cannot be gone through.
        Exception: the first turn that failed.
    """
    loop = step.step.loop
    if loop is None:
        raise LoopFailed("The step has no loop.")
    if loop.while_ is not None:
        return await _while(step, loop, attempt, take_turn)
    turns = _each(step, attempt) if loop.for_each is not None else _times(step, attempt)
    return await _lanes(turns, loop.parallelism, attempt, take_turn)


def _each(step: ReadyStep, attempt: Attempt) -> Sequence[dict[str, Any]]:
    items = render(step.for_each, attempt.names)
    if isinstance(items, dict):
        return [
            {"item": item, "index": index, "key": key}
            for index, (key, item) in enumerate(items.items())
        ]
    if isinstance(items, (list, tuple)):
        return [{"item": item, "index": index} for index, item in enumerate(items)]
    raise LoopFailed(f"loop.for_each gave a {type(items).__name__}, and needs a list or a mapping.")


def _times(step: ReadyStep, attempt: Attempt) -> Sequence[dict[str, Any]]:
    times = render(step.times, attempt.names)
    if isinstance(times, bool) or not isinstance(times, int) or not 0 <= times <= MAX_TURNS:
        raise LoopFailed(
            f"loop.times gave {times!r}, and needs a whole number from 0 to {MAX_TURNS:,}."
        )
    return [{"index": index} for index in range(times)]


async def _while(step: ReadyStep, loop: Loop, attempt: Attempt, take_turn: TakeTurn) -> list[Any]:
    kept: list[Any] = []
    result: Any = None
    for index in range(loop.max_iterations):
        names = _names(attempt, {"index": index})
        if not truth(step.repeat_while, {**names, "result": result}):
            return kept
        await _breathe(attempt)
        result, each = await take_turn(names)
        kept.append(each)
    message = f"The loop ends after max_iterations, {loop.max_iterations:,} turns."
    attempt.log(step.name, LogLevel.WARNING, message)
    return kept


async def _lanes(
    turns: Sequence[dict[str, Any]], parallelism: int, attempt: Attempt, take_turn: TakeTurn
) -> list[Any]:
    """Take all turns, so many at the same time as there are lanes."""
    kept: list[Any] = [None] * len(turns)
    waiting = iter(enumerate(turns))
    failures: list[Exception] = []

    async def lane() -> None:
        for index, loop in waiting:
            if failures:
                return
            await _breathe(attempt)
            try:
                kept[index] = (await take_turn(_names(attempt, loop))).kept
            except Exception as error:  # any failure of a turn is the loop's
                failures.append(error)

    if min(parallelism, len(turns)) <= 1:
        await lane()
    else:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(parallelism, len(turns))):
                group.create_task(lane())
    if failures:
        raise failures[0]
    return kept


async def _breathe(attempt: Attempt) -> None:
    """Let the log make room, and other runs have their turn: an action may never wait."""
    await attempt.journal.room()
    await asyncio.sleep(0)


def _names(attempt: Attempt, loop: dict[str, Any]) -> dict[str, Any]:
    return {**attempt.names, "loop": Named("loop", loop)}
