"""`steps`: what the Runner costs per step, and whether that grows with the number of steps.

Imports the other benchmarks, uvloop, and aura_aio's engine and model: it measures one process.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Final

import uvloop

from aura_aio.catalog.actions import LoadedAction
from aura_aio.engine.runner import Runner, RunnerParts
from aura_aio.model.clock import SystemClock
from aura_aio.model.ids import CidFactory
from aura_aio.model.log import LogLine
from aura_aio.model.plan import AllOf, Definition, Dependency, DependsOn, Step, Task
from aura_aio.model.run import StepRecord, Tasklet
from aura_aio.model.states import RunEvent
from benchmarks.results import LIMIT, Bar, Result, Side
from benchmarks.scenario import Asked, Scenario

SIZES: Final = (100, 300, 1000)
SHAPES: Final = {
    "chain": "steps one after the other",
    "fan": "steps at the same time, between a first and a last one",
}
MOST_GROWTH: Final = 1.5
"""What a step of the largest run may cost, as a multiple of one of the smallest: linear, within
what rounds differ by."""
_STEPS_PER_ROUND: Final = 3000


def steps(asked: Asked) -> Sequence[Result]:
    """Milliseconds per step by shape and size, beside bare awaits; and by how much they grow."""
    return [result for shape in SHAPES for result in _of_shape(shape, asked.rounds)]


def _of_shape(shape: str, rounds: int) -> Sequence[Result]:
    measured: dict[int, list[float]] = {size: [] for size in SIZES}
    limits: dict[int, list[float]] = {size: [] for size in SIZES}
    for number in range(rounds + 1):
        for size in SIZES:
            figures = uvloop.run(_round(shape, size))
            if number > 0:  # the first one warms up
                measured[size].append(figures[0])
                limits[size].append(figures[1])
    found = [
        Result(
            scenario="steps",
            part=f"{shape} of {size:,}",
            unit="ms/step",
            ours=Side(
                "Aura",
                f"a run of {size:,} {SHAPES[shape]}, each a no-op action, in one Runner",
                tuple(measured[size]),
            ),
            limit=Side(LIMIT, "the same awaits, nothing else", tuple(limits[size])),
            bars=(Bar(1.0),),
            lower_is_better=True,
        )
        for size in SIZES
    ]
    least, most = min(SIZES), max(SIZES)
    growth = Result(
        scenario="steps",
        part=f"{shape} grows",
        unit="ms/step",
        ours=Side("Aura", f"{most:,} {SHAPES[shape]}", tuple(measured[most])),
        limit=Side(f"of {least:,}", f"{least:,} of them", tuple(measured[least])),
        bars=(Bar(MOST_GROWTH, LIMIT),),
        lower_is_better=True,
    )
    return [*found, growth]


async def _round(shape: str, size: int) -> tuple[float, float]:
    """Milliseconds per step: of runs, and of bare awaits, turn by turn."""
    task = _task(shape, size)
    digest = Definition.of(task).digest
    clock = SystemClock()
    new_cid = CidFactory(clock)
    turns = max(1, _STEPS_PER_ROUND // size)
    measured = limit = 0.0
    with ThreadPoolExecutor(1) as threads:
        parts = RunnerParts(
            journal=_Silence(),
            clock=clock,
            worker="bench",
            data_dir=Path(),
            actions=lambda _plan, name: LoadedAction(name, _noop),
            threads=threads,
        )
        for turn in range(turns + 1):
            tasklet = Tasklet(new_cid(), task.plan_name, task.name, digest, clock.now())
            began = time.perf_counter()
            outcome = await Runner(tasklet, task, parts).run()
            ended = time.perf_counter()
            if outcome.event is not RunEvent.SUCCEED:
                raise RuntimeError(f"the run ended with {outcome.event}: {outcome.error}")
            await (_chain(size) if shape == "chain" else _fan(size))
            if turn > 0:  # the first run makes templates and graph ready, and the others have them
                measured += ended - began
                limit += time.perf_counter() - ended
    return measured * 1000 / (turns * size), limit * 1000 / (turns * size)


def _task(shape: str, size: int) -> Task:
    names = [f"step-{number}" for number in range(size)]
    first, *middle, last = names
    after: dict[str, Dependency | None] = {name: DependsOn(first) for name in middle}
    after |= {first: None, last: AllOf(tuple(DependsOn(name) for name in middle))}
    if shape == "chain":
        after = {first: None}
        after |= {name: DependsOn(before) for before, name in pairwise(names)}
    each = tuple(Step(name, "noop", depends_on=after[name]) for name in names)
    return Task("bench", shape, steps=each)


async def _noop() -> None:
    """Do nothing."""


async def _chain(size: int) -> None:
    for _ in range(size):
        await asyncio.create_task(_noop())


async def _fan(size: int) -> None:
    await asyncio.create_task(_noop())
    await asyncio.gather(*(asyncio.create_task(_noop()) for _ in range(size - 2)))
    await asyncio.create_task(_noop())


class _Silence:
    """A Journal that keeps nothing."""

    def log(self, line: LogLine) -> None:
        """Forget a line."""

    def step(self, record: StepRecord) -> None:
        """Forget what a step did."""

    def progress(self, cid: str, fraction: float, message: str) -> None:
        """Forget how far the run has come."""

    async def room(self) -> None:
        """There always is."""

    async def synced(self) -> None:
        """Nothing is kept."""


STEPS: Final = Scenario("steps", "what the Runner costs per step, and whether it grows", steps)
