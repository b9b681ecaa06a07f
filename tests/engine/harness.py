"""Runs tasks in the test's own process: plans from text, a journal that collects, real threads.

Imports pytest's tools no more than needed: aura_aio's catalog, engine, model and settings of runs.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from aura_aio.catalog.actions import LoadedAction, load_actions
from aura_aio.catalog.catalog import Catalog, load_catalog
from aura_aio.catalog.inputs import check_inputs
from aura_aio.catalog.secret_inputs import part
from aura_aio.engine.builtin import builtin_actions
from aura_aio.engine.capture import captured_output
from aura_aio.engine.runner import Runner, RunnerParts
from aura_aio.model import json
from aura_aio.model.clock import Clock, SystemClock
from aura_aio.model.log import LogLine
from aura_aio.model.plan import Definition, Step, Task
from aura_aio.model.run import Outcome, StepRecord, Tasklet
from aura_aio.model.sealing import Hidden, hidden_text
from aura_aio.processes.spawning import SpawnedProcess
from aura_aio.processes.tree import StartProcess
from aura_aio.run_settings import RunSettings
from tests.waiting import until

PLAN = "case"
THREADS = 8


class Journal:
    """Keeps what runs report, in order; `full` makes Runners wait before each step, and `is_slow`
    for its records to be on disk. `on_disk` of the records are.
    """

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.records: list[StepRecord] = []
        self.reports: list[tuple[str, float, str]] = []
        self.full = False
        self.asked_for_room = 0
        self.on_disk = 0
        self.is_slow = False
        self._made_room = asyncio.Event()
        self._guard = threading.Lock()

    def log(self, line: LogLine) -> None:
        with self._guard:
            self.lines.append(line)

    def step(self, record: StepRecord) -> None:
        self.records.append(record)

    def progress(self, cid: str, fraction: float, message: str) -> None:
        self.reports.append((cid, fraction, message))

    async def room(self) -> None:
        self.asked_for_room += 1
        if self.full:
            await self._made_room.wait()

    async def synced(self) -> None:
        reported = len(self.records)
        if self.is_slow:
            await until(lambda: self.on_disk >= reported, within=60)
        self.on_disk = max(self.on_disk, reported)

    def make_room(self) -> None:
        """Let the Runners go on that wait for room."""
        self.full = False
        self._made_room.set()

    def messages(self, step: str | None = None) -> list[str]:
        """The messages of a step's lines, or of all."""
        return [line.message for line in self.lines if step is None or line.step == step]

    def statuses(self) -> dict[str, str]:
        """The last status of each step."""
        return {record.step: record.status for record in self.records}

    def kept(self) -> dict[str, Any]:
        """What the steps have changed in the plan's state; None for what they deleted."""
        changes: dict[str, bytes | None] = {}
        for record in self.records:
            changes |= record.state
        return {key: text and json.loads(text) for key, text in changes.items()}

    def last(self, step: str) -> StepRecord:
        """The last record of a step."""
        return [record for record in self.records if record.step == step][-1]


class QuickClock(SystemClock):
    """The machine's clock, but sleeps are only noted."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


MakeBench = Callable[..., "Bench"]
"""Makes a Bench of functions, which end with the test."""


class Bench:
    """A plan with its actions, ready to be run again and again."""

    def __init__(self, parts: RunnerParts, journal: Journal, catalog: Catalog | None) -> None:
        self.parts = parts
        self.journal = journal
        self._catalog = catalog
        self._runs = 0
        self._attempts = 0

    def runner(
        self,
        task: str | Task = "t",
        inputs: Mapping[str, Any] | None = None,
        timeout_sec: float | None = None,
        finished: Sequence[StepRecord] | None = None,
        **envelope: Any,
    ) -> Runner:
        """A Runner for a task of the plan, or for `task` itself; with `finished` for the next
        attempt of the latest run, whose earlier ones had finished these steps. `envelope` is what
        else its Tasklet says.
        """
        if isinstance(task, str):
            assert self._catalog is not None
            task = self._catalog.task(PLAN, task).task
        self._runs += finished is None
        self._attempts = 1 if finished is None else self._attempts + 1
        shown, hidden = part(task.meta.inputs, check_inputs(task, inputs or {}))
        tasklet = Tasklet(
            cid=f"cid-{self._runs}",
            plan_name=task.plan_name,
            task_name=task.name,
            definition_digest=Definition.of(task).digest,
            accepted_at=0.0,
            inputs=json.dumps(shown),
            timeout_sec=timeout_sec,
            attempt=self._attempts,
            on_crash=task.meta.on_crash,
            **envelope,
        )
        secret = hidden_text(Hidden(hidden)) if hidden else None
        return Runner(tasklet, task, self.parts, finished or (), secret)

    async def run(
        self,
        task: str | Task = "t",
        inputs: Mapping[str, Any] | None = None,
        timeout_sec: float | None = None,
        **envelope: Any,
    ) -> Outcome:
        """The outcome of a run; what its actions print is in the journal."""
        with captured_output():
            return await self.runner(task, inputs, timeout_sec, **envelope).run()

    async def result(self, task: str | Task = "t", inputs: Mapping[str, Any] | None = None) -> Any:
        """The result of a run that succeeds."""
        outcome = await self.run(task, inputs)
        assert outcome.result is not None, outcome
        return msgspec.json.decode(outcome.result)


@contextmanager
def bench(
    root: Path,
    actions: Mapping[str, Any] | None = None,
    *,
    catalog: Catalog | None = None,
    clock: Clock | None = None,
    grace_sec: float = 5.0,
    secrets: Mapping[str, str] | None = None,
    allow_shell: bool = False,
    allowed: RunSettings | None = None,
    start_process: StartProcess = SpawnedProcess,
) -> Iterator[Bench]:
    """A Bench whose data is below `root`. `actions` are functions by name; without them, those of
    the `catalog`'s plan are loaded. Its threads end with it.
    """
    journal = Journal()
    loaded = _load(catalog)
    if actions is not None:
        loaded[PLAN] = {name: LoadedAction(name, function) for name, function in actions.items()}
    with ThreadPoolExecutor(THREADS) as threads:
        parts = RunnerParts(
            journal=journal,
            clock=clock or SystemClock(),
            worker="w1",
            data_dir=root,
            actions=lambda plan, name: loaded[plan][name],
            threads=threads,
            grace_sec=grace_sec,
            secrets=secrets or {},
            builtin=builtin_actions(allow_shell=allow_shell),
            allowed=allowed or RunSettings(),
            start_process=start_process,
        )
        yield Bench(parts, journal, catalog)


def _load(catalog: Catalog | None) -> dict[str, dict[str, LoadedAction]]:
    plans = catalog.plans.values() if catalog is not None else ()
    return {plan.name: load_actions(Path(plan.root), plan.actions.values()) for plan in plans}


def task(*steps: Step, **more: Any) -> Task:
    """A task of the plan, with these steps."""
    return Task(PLAN, "t", steps=steps, **more)


def call(action: str, **params: Any) -> Task:
    """A task that gives what one call of an action gives."""
    return task(Step("a", action, params), returns="{{ nodes.a.output }}")


def write_plan(root: Path, files: Mapping[str, str]) -> Catalog:
    """The catalog of one plan, `PLAN`, with these files below its folder."""
    for name, text in files.items():
        path = root / PLAN / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load_catalog([root])
