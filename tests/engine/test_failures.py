"""Runs that fail: what is told of it.

Imports pytest, aura_aio's engine and model, and the harness.
"""

import asyncio
import json

import pytest

from aura_aio.model.plan import DependsOn, Step
from aura_aio.model.states import RunEvent
from tests.engine.harness import MakeBench, task


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "MemoryError (without a message)"),
        (RecursionError("deep"), "deep"),
        (KeyboardInterrupt("now"), "now"),
        (SystemExit(3), "3"),
        (asyncio.CancelledError("own"), "own"),
        (BaseException("base"), "base"),
        (ValueError("\udcff" + "x" * 10_000), "\\udcffxxx"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
@pytest.mark.parametrize("kind", ["async", "thread", "async with timeout"])
async def test_whatever_an_action_raises_fails_the_run(
    make_bench: MakeBench, error: BaseException, message: str, kind: str
) -> None:
    async def act_async() -> None:
        raise error

    def act_thread() -> None:
        raise error

    table = make_bench(act_async, act_thread)
    step = Step(
        "a",
        "act_thread" if kind == "thread" else "act_async",
        timeout_sec=5 if kind == "async with timeout" else None,
    )
    outcome = await table.run(task(step))
    assert outcome.event is RunEvent.FAIL
    assert outcome.error is not None
    assert outcome.error.type == type(error).__name__
    assert outcome.error.message.startswith(message)
    assert len(outcome.error.message) < 8300
    assert outcome.error.step == "a"
    assert table.journal.last("a").error == outcome.error


async def test_a_thread_that_raises_what_closes_coroutines_fails_the_run(
    make_bench: MakeBench,
) -> None:
    def act() -> None:
        raise GeneratorExit

    table = make_bench(act)
    outcome = await table.run(task(Step("a", "act")))
    assert outcome.error is not None
    assert (outcome.error.type, outcome.error.step) == ("GeneratorExit", "a")


async def test_a_traceback_holds_the_frames_of_the_plan_only(make_bench: MakeBench) -> None:
    def inner() -> None:
        json.loads("{")

    def act() -> None:
        try:
            inner()
        except ValueError as error:
            raise LookupError("outer") from error

    table = make_bench(act)
    outcome = await table.run(task(Step("a", "act")))
    assert outcome.error is not None
    text = outcome.error.traceback
    assert text is not None
    assert "in inner" in text
    assert "JSONDecodeError" in text
    assert text.count("in act\n") == 2
    assert text.endswith("LookupError: outer\n")
    assert "aura_aio" not in text
    assert "concurrent" not in text


async def test_a_traceback_is_bounded(make_bench: MakeBench) -> None:
    async def act() -> None:
        try:
            raise ValueError("x" * 50_000)
        except ValueError as error:
            raise KeyError("end") from error

    table = make_bench(act)
    outcome = await table.run(task(Step("a", "act")))
    assert outcome.error is not None
    assert outcome.error.traceback is not None
    assert len(outcome.error.traceback) <= 16_384
    assert outcome.error.traceback.endswith("KeyError: 'end'\n")


async def test_a_failure_that_aura_finds_has_no_traceback(make_bench: MakeBench) -> None:
    table = make_bench()
    outcome = await table.run(task(Step("a", "log")))
    assert outcome.error is not None
    assert outcome.error.type == "BadParameters"
    assert outcome.error.traceback is None


async def test_the_first_failure_is_the_error_of_the_run(make_bench: MakeBench) -> None:
    second = asyncio.Event()

    async def first() -> None:
        second.set()
        raise ValueError("first")

    async def later() -> None:
        await second.wait()
        raise ValueError("later")

    table = make_bench(first, later)
    steps = (Step("b", "later"), Step("a", "first"), Step("c", "later", depends_on=DependsOn("a")))
    outcome = await table.run(task(*steps))
    assert outcome.error is not None
    assert (outcome.error.message, outcome.error.step) == ("first", "a")
    assert table.journal.statuses() == {"a": "failed", "b": "failed", "c": "skipped"}
