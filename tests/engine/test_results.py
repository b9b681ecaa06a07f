"""Results: what one may be.

Imports pytest, aura_aio's engine, model and settings of runs, and the harness.
"""

from pathlib import Path
from typing import Any

from aura_aio import ActionContext
from aura_aio.model.plan import Step
from aura_aio.model.states import RunEvent
from aura_aio.run_settings import RunSettings
from tests.engine.harness import MakeBench, task

MAX_RESULT_BYTES = RunSettings().max_result_bytes


async def test_a_result_has_a_limit(make_bench: MakeBench) -> None:
    async def act(size: int) -> str:
        return "x" * size

    table = make_bench(act)
    fits = await table.run(task(Step("a", "act", {"size": MAX_RESULT_BYTES - 2})))
    assert fits.event is RunEvent.SUCCEED
    outcome = await table.run(task(Step("a", "act", {"size": MAX_RESULT_BYTES})))
    assert outcome.error is not None
    assert outcome.error.message == (
        "The result of step 'a' has 16,777,218 bytes of JSON, and 16,777,216 are allowed "
        "(max_result_bytes): write it into a file, and give its name."
    )


async def test_a_result_that_contains_itself_fails_the_step(make_bench: MakeBench) -> None:
    async def act() -> list[Any]:
        values: list[Any] = []
        values.append(values)
        return values

    table = make_bench(act)
    outcome = await table.run(task(Step("a", "act")))
    assert outcome.error is not None
    assert "contains itself" in outcome.error.message


async def test_paths_and_odd_numbers_are_results(make_bench: MakeBench) -> None:
    class Word(str):
        __slots__ = ()

    class Number(float):
        __slots__ = ()

    def act(context: ActionContext) -> list[Any]:
        assert context.data_dir.is_dir()
        return [context.data_dir / "x", 2**70, float("nan"), {"a"}, Word("w"), Number(1.5)]

    table = make_bench(act)
    (path, number, no_number, one, *rest) = await table.result(
        task(Step("a", "act"), returns="{{ nodes.a.output }}")
    )
    assert Path(path).parts[-3:] == ("plans", "case", "x")
    assert (number, no_number, one, rest) == (2**70, None, ["a"], ["w", 1.5])
