"""The tools of the tests themselves: waiting, and the detector of blocking calls.

Imports pytest, blockbuster and `waiting` only.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from blockbuster import BlockingError

import aura_aio
from tests.waiting import until, until_sync


async def test_until_gives_the_first_true_answer_of_a_sync_condition() -> None:
    answers = iter([0, "", None, "here"])
    assert await until(lambda: next(answers)) == "here"


async def test_until_gives_the_first_true_answer_of_an_async_condition() -> None:
    answers = iter([0, 0, 7])

    async def ask() -> int:
        return next(answers)

    assert await until(ask) == 7


async def test_until_names_the_condition_and_its_last_answer() -> None:
    no_more: list[int] = []
    with pytest.raises(AssertionError, match=r"test_tools\.py:\d+: .*no_more.* was \[\]"):
        await until(lambda: no_more[:], within=0.05)


async def test_until_bounds_a_condition_that_hangs() -> None:
    with pytest.raises(AssertionError, match=r"not true within 0\.05 s"):
        await until(asyncio.Event().wait, within=0.05)


async def test_until_lets_through_what_the_condition_raises() -> None:
    async def ask() -> bool:
        raise TimeoutError("of the condition's own")

    with pytest.raises(TimeoutError, match="of the condition's own"):
        await until(ask)


def test_until_sync_waits_and_gives_up_alike() -> None:
    answers = iter([0, 0, 7])
    assert until_sync(lambda: next(answers)) == 7
    with pytest.raises(AssertionError, match="the last answer was 0"):
        until_sync(lambda: 0, within=0.05)


async def test_a_blocking_call_of_aura_aio_on_the_loop_fails_the_test() -> None:
    block = _blocking_function_in(Path(aura_aio.__file__).with_name("made_up.py"))
    with pytest.raises(BlockingError, match=r"time\.sleep"):
        block()


async def test_a_blocking_call_of_aura_aio_in_a_thread_is_fine() -> None:
    block = _blocking_function_in(Path(aura_aio.__file__).with_name("made_up.py"))
    await asyncio.to_thread(block)


async def test_a_blocking_call_of_the_test_itself_is_fine() -> None:
    _blocking_function_in(Path(__file__))()


def _blocking_function_in(file: Path) -> Callable[[], None]:
    # Compiled as if it stood in `file`: the detector goes by the files on the call stack.
    namespace: dict[str, Callable[[], None]] = {}
    code = "import time\ndef block():\n    time.sleep(0)\n"
    exec(compile(code, str(file), "exec"), namespace)  # noqa: S102
    return namespace["block"]
