"""Waiting for a condition: the only place in the tests that sleeps.

Imports the standard library only.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast, overload

T = TypeVar("T")

_PAUSE_SEC = 0.01


@overload
async def until(condition: Callable[[], Awaitable[T]], within: float = 5) -> T: ...


@overload
async def until(condition: Callable[[], T], within: float = 5) -> T: ...


async def until(condition: Callable[[], Awaitable[T] | T], within: float = 5) -> T:
    """Ask `condition`, sync or async, again and again until its answer is true; return that answer.

    Raises AssertionError that names the condition and its last answer after `within` seconds, also
    when the condition itself hangs. What the condition raises goes through: it is not a "no".
    """
    answer: object = "none yet"
    limit = asyncio.timeout(within)
    try:
        async with limit:
            while True:
                asked = condition()
                answer = await asked if inspect.isawaitable(asked) else asked
                if answer:
                    return cast(T, answer)
                await asyncio.sleep(_PAUSE_SEC)
    except TimeoutError:
        if not limit.expired():
            raise
        raise AssertionError(_never(condition, within, answer)) from None


async def turns(count: int) -> None:
    """Return after so many turns of the event loop."""
    for _ in range(count):
        await asyncio.sleep(0)


def until_sync(condition: Callable[[], T], within: float = 5) -> T:
    """Do what `until` does, for tests that drive processes and have no event loop."""
    end = time.monotonic() + within
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= end:
            raise AssertionError(_never(condition, within, answer))
        time.sleep(_PAUSE_SEC)


def _never(condition: Callable[[], object], within: float, answer: object) -> str:
    try:
        lines, start = inspect.getsourcelines(condition)
        place = f"{inspect.getsourcefile(condition)}:{start}: {lines[0].strip()}"
    except (OSError, TypeError):  # built-ins and partials have no source
        place = repr(condition)
    return f"not true within {within:g} s: {place}; the last answer was {answer!r}"
