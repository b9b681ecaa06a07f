"""A batch of many requests, which are looked at on the server's own loop.

Imports pytest, aura_aio's model and scheduler, and the bench.
"""

import asyncio

from aura_aio.model.errors import InputsRejected
from aura_aio.scheduler.admission import TURN_SEC, RunRequest
from tests.scheduler.bench import STEP, TurnedClock
from tests.scheduler.conftest import MakeBench

TASK = "meta: {inputs: [{name: number}]}\n" + STEP


class BusyClock(TurnedClock):
    """Goes on by a whole turn whenever it is looked at."""

    def monotonic(self) -> float:
        """How far it is now."""
        self._monotonic += TURN_SEC
        return self._monotonic


async def test_others_have_their_turn_while_a_batch_is_looked_at(make_bench: MakeBench) -> None:
    bench = make_bench(clock=BusyClock())
    bench.write({"tasks/t.yaml": TASK})
    await bench.open()
    request = RunRequest(plan_name="p", task_name="t", inputs={"nubmer": 1})
    loop = asyncio.get_running_loop()
    turns: list[asyncio.Handle] = []

    def other() -> None:
        turns.append(loop.call_soon(other))

    other()
    batch = await bench.admission.admit_each([request] * 50)
    turns[-1].cancel()
    assert [type(each) for each in batch] == [InputsRejected] * 50
    assert len(turns) >= 49


class LateClock(TurnedClock):
    """Shows that the first turn is over once it was looked at ten times, and stands still then."""

    looks = 0

    def monotonic(self) -> float:
        """How far it is now."""
        self.looks += 1
        return TURN_SEC if self.looks > 10 else 0.0


async def test_each_turn_is_as_long_as_the_first(make_bench: MakeBench) -> None:
    bench = make_bench(clock=LateClock())
    bench.write({"tasks/t.yaml": TASK})
    await bench.open()
    loop = asyncio.get_running_loop()
    turns: list[asyncio.Handle] = []

    def other() -> None:
        turns.append(loop.call_soon(other))

    other()
    await bench.admission.admit_each([RunRequest(plan_name="p", task_name="t")] * 50)
    turns[-1].cancel()
    assert len(turns) <= 3
