"""An open store with all that a test needs to speak to it.

Imports aura_aio.model only; backends are given by conftest.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from aura_aio.model.audit import AuditStore
from aura_aio.model.callback import CallbackStore
from aura_aio.model.children import ChildStore
from aura_aio.model.fleet import FleetStore
from aura_aio.model.ids import CidFactory
from aura_aio.model.plan import Definition, Task
from aura_aio.model.ports import LogStore, Publish, RunStore
from aura_aio.model.queue_store import QueueStore
from aura_aio.model.retention import RetentionStore
from aura_aio.model.run import Outcome, Run, RunChanged, RunError, Tasklet
from aura_aio.model.schedule_store import EventStore, ScheduleStore
from aura_aio.model.states import RunEvent, RunState
from aura_aio.model.token_store import TicketStore, TokenStore

DEFINITION = Definition.of(Task("hello", "greet"))


async def begun(group: asyncio.TaskGroup) -> None:
    """Return when every coroutine task that exists has begun, and come to its first wait."""

    async def last() -> None:
        """Begins after all that were made before."""

    await group.create_task(last())


class ManualClock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.seconds = 1_769_860_800.0

    def now(self) -> float:
        """What it was set to."""
        return self.seconds

    def monotonic(self) -> float:
        """The same."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.seconds += max(0.0, seconds)


class Store(Protocol):
    """What every store offers beside its ports."""

    runs: RunStore
    children: ChildStore
    queue: QueueStore
    logs: LogStore
    schedules: ScheduleStore
    events: EventStore
    callbacks: CallbackStore
    audit: AuditStore
    retention: RetentionStore
    tokens: TokenStore
    tickets: TicketStore
    fleet: FleetStore

    @property
    def commits(self) -> int:
        """Transactions so far."""
        ...

    async def aclose(self) -> None:
        """Finish, and let go of the database."""
        ...


class Open(Protocol):
    """Opens the database of the test; again after a close: the same one."""

    def __call__(
        self, *, publish: Publish, clock: ManualClock, **settings: Any
    ) -> Awaitable[Store]: ...


class Opened:
    """A store, its clock, the facts that it published, and short ways to fill it."""

    def __init__(self, open_store: Open, **settings: Any) -> None:
        self.clock = ManualClock()
        self.facts: list[RunChanged] = []
        self.listeners: list[Callable[[RunChanged], None]] = [self.facts.append]
        self.store: Store
        self._open = open_store
        self._settings = settings
        self._new_cid = CidFactory(self.clock)

    async def open(self) -> None:
        """Open the database, for the first time or again."""
        self.store = await self._open(publish=self._publish, clock=self.clock, **self._settings)

    async def close(self) -> None:
        """Close the store that is open now."""
        await self.store.aclose()

    async def reopen(self) -> None:
        """Close the store and open the same database."""
        await self.close()
        await self.open()

    def tasklet(self, **changes: Any) -> Tasklet:
        """A Tasklet of now, with a cid of its own; `delay_sec` is from now."""
        delay_sec = changes.pop("delay_sec", None)
        if delay_sec is not None:
            changes["run_at"] = self.clock.now() + delay_sec
        tasklet = Tasklet(
            cid=self._new_cid(),
            plan_name="hello",
            task_name="greet",
            definition_digest=DEFINITION.digest,
            accepted_at=self.clock.now(),
            inputs=b'{"name":"world"}',
        )
        return msgspec.structs.replace(tasklet, **changes)

    async def enqueue(self, **changes: Any) -> str:
        """Queue one run; answers its cid."""
        (cid,) = (await self.store.runs.enqueue((self.tasklet(**changes),), (DEFINITION,))).cids
        return cid

    async def enqueue_many(self, count: int, **changes: Any) -> list[str]:
        """Queue runs in one call; answers their cids."""
        tasklets = [self.tasklet(**changes) for _ in range(count)]
        return list((await self.store.runs.enqueue(tasklets, (DEFINITION,))).cids)

    async def claim(self, most: int = 1) -> list[str]:
        """Claim for as many workers; answers the cids."""
        workers = [f"w{number}" for number in range(1, most + 1)]
        return [tasklet.cid for tasklet in await self.store.queue.claim(workers)]

    async def start(self, **changes: Any) -> str:
        """Queue a run and claim it; nothing else may be queued."""
        cid = await self.enqueue(**changes)
        assert await self.claim() == [cid]
        return cid

    async def end(self, cid: str, event: RunEvent = RunEvent.SUCCEED) -> RunState | None:
        """Let the attempt of a run end; answers the state."""
        (state,) = await self.store.runs.finish((self.outcome(cid, event),))
        return state

    def outcome(self, cid: str, event: RunEvent = RunEvent.SUCCEED, attempt: int = 1) -> Outcome:
        """An outcome of now, with a result and an error: what fits is kept."""
        return Outcome(
            cid=cid,
            attempt=attempt,
            event=event,
            finished_at=self.clock.now(),
            result=b'{"greeting":"hello"}',
            error=RunError("ValueError", "no such name", step="greet"),
        )

    async def run(self, cid: str) -> Run:
        """The run, which must exist."""
        run = await self.store.runs.get(cid)
        assert run is not None
        return run

    def changes(self, cid: str) -> list[tuple[RunState | None, RunState]]:
        """The facts about one run: from, to."""
        return [(fact.source, fact.target) for fact in self.facts if fact.cid == cid]

    def _publish(self, fact: RunChanged) -> None:
        for listener in self.listeners:
            listener(fact)
