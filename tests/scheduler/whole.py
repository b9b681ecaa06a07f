"""A Scheduler as a whole, over a real database, with workers that note what they are asked.

Imports aura_aio's scheduler, logs and model, and `subject`.
"""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from aura_aio.logs.hub import LogHub
from aura_aio.model.ids import CidFactory
from aura_aio.model.ports import WorkerStatus
from aura_aio.model.run import Outcome
from aura_aio.model.states import RunEvent
from aura_aio.scheduler.admission import RunRequest
from aura_aio.scheduler.events import EventBus, RunEnds
from aura_aio.scheduler.hot_reload import HotReload
from aura_aio.scheduler.logs import Logs
from aura_aio.scheduler.plans import PlanReload, Plans
from aura_aio.scheduler.schedule_book import ScheduleBook
from aura_aio.scheduler.scheduler import Scheduler
from aura_aio.scheduler.schedules import Schedules
from aura_aio.scheduler.system import System, SystemState
from tests.scheduler.bench import STEP, TurnedClock
from tests.scheduler.subject import Hands, Subject

ASKED = RunRequest(plan_name="p", task_name="t")
SITE = f"meta: {{concurrency: {{mutex_group: site}}}}\n{STEP}"


class Workers(Hands):
    """One worker that goes, and one that is up or on its way; what else is asked is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.is_up = True

    async def start(self) -> None:
        """Note it."""
        self.told.append("start")

    async def pause(self) -> None:
        """Note it."""
        self.told.append("pause")

    def workers(self) -> tuple[WorkerStatus, ...]:
        """Both."""
        state = "ready" if self.is_up else "starting"
        return tuple(WorkerStatus(f"w-{each}", None, each, 9, 0) for each in ("retiring", state))


@dataclass
class Part:
    """What has to be alive, too."""

    alive: bool = True


class Whole:
    """A Scheduler over a real database; nothing dispatches what it queues."""

    def __init__(
        self, subject: Subject, workers: Workers, plans: Plans, clock: TurnedClock
    ) -> None:
        self.subject, self.workers, self.clock = subject, workers, clock
        self.part, store = Part(), subject.store
        self.hub = LogHub(store.logs, clock=clock)
        self.system = self.another(subject.hands)
        triggers: Any = SimpleNamespace(plans_changed=self.hub.start)
        book = ScheduleBook(store.schedules, plans.catalog, clock)
        self.scheduler = Scheduler(
            runs=subject.runs,
            queue=subject.queue,
            plans=plans,
            logs=Logs(store.logs, store.runs, store.audit, self.hub, RunEnds(EventBus())),
            schedules=Schedules(book, subject.admission, clock, CidFactory(clock)),
            system=self.system,
            hot_reload=HotReload(plans, PlanReload(plans, store.runs, subject.hands, triggers)),
        )

    def another(self, dispatcher: Any) -> System:
        """A system of its own over the same database."""
        return System(
            runs=self.subject.store.runs,
            queue=self.subject.store.queue,
            hub=self.hub,
            dispatcher=dispatcher,
            others=(Part(), self.part),
            cancel_run=self.subject.runs.cancel,
            clock=self.clock,
        )

    async def run(self, task_name: str = "t") -> str:
        """The cid of a run that is under way."""
        asked = replace(ASKED, task_name=task_name)
        (cid,) = (await self.scheduler.run_ad_hoc_task(asked)).cids
        (tasklet,) = await self.subject.store.queue.claim(["w1"])
        assert tasklet.cid == cid
        return cid

    async def end(self, cid: str, event: RunEvent = RunEvent.SUCCEED) -> None:
        """Let it end."""
        await self.subject.store.runs.finish([Outcome(cid, 1, event, self.clock.now())])

    async def how_cancelled(self, cid: str) -> str:
        """The mode in which it was."""
        cancel = (await self.subject.runs.get(cid)).cancel
        assert cancel is not None
        return cancel.mode

    async def state(self) -> SystemState:
        """As the status shows it."""
        return (await self.system.status()).state
