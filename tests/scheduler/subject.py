"""Scheduler and Store over a real database, without workers: the test is the Dispatcher.

Imports aura_aio's scheduler, store and model, and `family_model`.
"""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from aura_aio.model.children import ChildRequest
from aura_aio.model.clock import Clock
from aura_aio.model.ids import CidFactory
from aura_aio.model.ports import ActiveAttempt, WorkerStatus
from aura_aio.model.run import RunChanged
from aura_aio.model.sealing import Vault
from aura_aio.scheduler.admission import Admission
from aura_aio.scheduler.callback_targets import Targets
from aura_aio.scheduler.children import Children
from aura_aio.scheduler.events import EventBus, RunEnds
from aura_aio.scheduler.plans import Plans
from aura_aio.scheduler.queue import Queue
from aura_aio.scheduler.runs import Runs
from aura_aio.store.relational.store import Rules
from aura_aio.store.sqlite import open_sqlite
from aura_aio.vault import open_vault
from tests.scheduler.family_model import DEPTH_LIMIT
from tests.scheduler.modelled import Call

QUEUE_LIMIT = 14


class Hands:
    """Implements `model.ports.Dispatcher` for who dispatches by hand: it notes what it is told."""

    alive = True

    def __init__(self) -> None:
        self.cancelled: list[tuple[str, float]] = []
        """The cids of attempts that were to end, with the grace of their actions."""

    async def start(self) -> None:
        """Nothing starts by itself."""

    async def drain(self) -> None:
        """Nothing is under way that it knows of."""

    async def pause(self) -> None:
        """Nothing starts by itself."""

    async def aclose(self, *, grace_sec: float) -> None:
        """There are no workers."""

    def cancel(self, cid: str, *, grace_sec: float) -> None:
        """Note it."""
        self.cancelled.append((cid, grace_sec))

    def run_changed(self, fact: RunChanged) -> None:
        """Nothing starts by itself."""

    def look_again(self) -> None:
        """Nothing starts by itself."""

    def run_comes(self) -> None:
        """Nothing starts by itself."""

    async def reload(self, switch: Callable[[], None]) -> None:
        """No worker has loaded anything."""
        switch()

    def active(self) -> Mapping[str, ActiveAttempt]:
        """None that it knows of."""
        return {}

    def workers(self) -> tuple[WorkerStatus, ...]:
        """One that always has room."""
        return (WorkerStatus("w1", None, "ready", slots=9, busy=0),)

    def plans(self) -> Mapping[str, Mapping[str, str]]:
        """There is no other host."""
        return {}


class Subject:
    """The parts of a server that runs go through. `facts` is what it has published."""

    def __init__(self, folder: Path, plans: Plans, vault: Vault, clock: Clock) -> None:
        self.facts: list[RunChanged] = []
        self.hands = Hands()
        self._folder = folder
        self._plans = plans
        self.vault = vault
        self._clock = clock
        self._lives = 0

    async def open(self) -> None:
        """Begin, or go on with the same database."""
        bus = EventBus()
        bus.subscribe(self.facts.append)
        self.store = store = await open_sqlite(
            self._database, publish=bus.publish, clock=self._clock, rules=Rules(QUEUE_LIMIT)
        )
        targets = Targets((), allow_private=False)
        self.admission = admission = Admission(
            self._plans.catalog, self._clock, CidFactory(self._clock), self.vault, targets
        )
        self.children = Children(
            store.children, store.runs, admission, self._clock, depth_limit=DEPTH_LIMIT
        )
        self.runs = Runs(
            store=store.runs,
            dispatcher=self.hands,
            admission=admission,
            callbacks=store.callbacks,
            ends=RunEnds(bus),
            clock=self._clock,
        )
        self.queue = Queue(
            store.queue, store.runs, self.hands, admission, lambda: None, self._clock, _foresee
        )

    async def start_child(self, call: Call) -> str:
        """As the Dispatcher asks for an attempt; answers the child."""
        return await self.children.start(
            ChildRequest(
                parent_cid=call.parent_cid,
                attempt=call.attempt,
                step=call.step,
                turn=call.turn,
                tries=1,
                plan_name=call.kind.plan_name,
                task_name=call.kind.task_name,
                wait=call.wait,
            )
        )

    async def close(self) -> None:
        """End as a server does."""
        await self.store.aclose()

    async def restart(self, *, killed: bool) -> Mapping[str, tuple[str, ...]]:
        """End and begin again; or go on with what is on the disk now, as after a SIGKILL. Answers
        what was done with the runs under way.
        """
        if killed:
            before = self._database
            self._lives += 1
            for suffix in ("", "-wal"):
                shutil.copy(f"{before}{suffix}", f"{self._database}{suffix}")
        await self.close()
        await self.open()
        return await self.store.runs.recover()

    @property
    def _database(self) -> Path:
        return self._folder / f"aura-{self._lives}.db"


async def load(root: Path, tasks: Mapping[str, str]) -> tuple[Plans, Vault]:
    """The plans with these tasks (by `plan/task`) below `root`, and a vault."""
    for name, text in tasks.items():
        plan_name, _, task_name = name.partition("/")
        path = root / "plans" / plan_name / "tasks" / f"{task_name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    plans = await Plans.load([root / "plans"])
    assert [plan.errors for plan in plans.list()] == [() for _ in plans.list()]
    return plans, await asyncio.to_thread(open_vault, root)


async def _foresee(*_: object) -> Mapping[str, bool]:
    return {}
