"""The system as a whole: start, stop, status, readiness.

May import the rest of `scheduler`, logs and model; stores and dispatchers come in as ports.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Protocol

import msgspec

from aura_aio.logs.hub import LogCounters, LogHub
from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.errors import (
    NotAlive,
    NotReady,
    RunFinished,
    RunNotFound,
    StoreUnavailable,
)
from aura_aio.model.fleet import FleetStore, Leadership, Stop
from aura_aio.model.persistence import persist
from aura_aio.model.ports import Dispatcher, RunStore, WorkerStatus
from aura_aio.model.queue_store import QueueCounts, QueueStore
from aura_aio.model.states import HOLDS_A_SLOT

_log = logging.getLogger("aura.scheduler.system")


class CancelRun(Protocol):
    """How a run is cancelled: `Runs.cancel`."""

    async def __call__(self, cid: str, *, mode: str, reason: str) -> object:
        """Cancel the run `cid`."""
        ...


class Part(Protocol):
    """What works by itself as long as the server is up."""

    @property
    def alive(self) -> bool:
        """Whether it does its work."""
        ...


class SystemState(StrEnum):
    """Whether runs are dispatched."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"


class Stopped(msgspec.Struct, frozen=True):
    """The answer to a stop: whether everything had stopped before, and how many runs go on."""

    already: bool
    active: int


class SystemStatus(msgspec.Struct, frozen=True):
    """How the server is; `started_at` in seconds since the epoch, seqs of the kept log."""

    state: SystemState
    started_at: float
    uptime_sec: float
    workers: tuple[WorkerStatus, ...]
    counts: QueueCounts
    log_stream: LogCounters
    oldest_seq: int
    last_seq: int


class System:
    """Starts and stops dispatching, and knows how everything is; `others` have to be alive, too."""

    def __init__(
        self,
        *,
        runs: RunStore,
        queue: QueueStore,
        hub: LogHub,
        dispatcher: Dispatcher,
        others: Sequence[Part],
        cancel_run: CancelRun,
        clock: Clock,
    ) -> None:
        self._runs = runs
        self._queue = queue
        self._hub = hub
        self._dispatcher = dispatcher
        self._parts: tuple[Part, ...] = (dispatcher, hub, *others)
        self._cancel_run = cancel_run
        self._fleet: FleetStore | None = None
        self._leadership = Leadership(leads=True)
        self._clock = clock
        self._started_at = clock.now()
        self._began = clock.monotonic()
        self._stopped_since: float | None = self._started_at
        self._stop: Stop | None = None
        """The stop that is to be seen through."""
        self._tasks = CoroutineTasks()
        self._shutting_down = False

    def share(self, fleet: FleetStore, member: Part, leadership: Leadership) -> None:
        """Start and stop together with the other servers on the same database, among whom `member`
        has to be alive. What one of them was asked to end later is ended also by who leads then.
        """
        self._fleet = fleet
        self._leadership = leadership
        leadership.on_gain(self._see_through)
        self._parts = (*self._parts, member)

    async def start(self) -> bool:
        """Dispatch queued runs from now on, on every host; False if that was so already."""
        if self._stopped_since is None:
            return False
        if self._fleet is not None:
            await self._fleet.set_stopped(None)
        await self._go()
        return True

    async def follow(self) -> None:
        """Do as another server on the same database was told: dispatch, or not. Who leads sees the
        other's stop through.

        Raises:
            StoreUnavailable: the store does not say which.
        """
        if self._fleet is None:
            return
        stop = await self._fleet.stopped()
        if stop is None:
            if self._stopped_since is not None:
                await self._go()
            return
        is_new, self._stop = stop != self._stop, stop
        if self._stopped_since is None:
            self._note_stop()
            await self._dispatcher.pause()
        if is_new:
            await self._tasks.aclose()
            if self._leadership.leads:
                self._see_through()

    def _note_stop(self) -> None:
        self._stopped_since = self._clock.now()
        _log.info("system stopping", extra={"action": "system_stopping"})

    async def _go(self) -> None:
        self._stop = None
        await self._tasks.aclose()
        self._stopped_since = None
        await self._dispatcher.start()
        _log.info("system started", extra={"action": "system_started"})

    async def stop(self, *, cancel: bool, timeout_sec: float | None) -> Stopped:
        """Start no further run; those under way end by themselves, or are cancelled.

        With `cancel` they are cancelled now, and killed after `timeout_sec`; without it they are
        cancelled after `timeout_sec`. None means never. Returns at once. A later call replaces
        what an earlier one asked for. That holds also if this server dies: see `share`.
        """
        ends_at = None if timeout_sec is None else self._clock.now() + timeout_sec
        stop = Stop(cancel, ends_at)
        if self._fleet is not None:
            await self._fleet.set_stopped(stop)
        self._stop, was_stopped = stop, self._stopped_since is not None
        if not was_stopped:
            self._note_stop()
        await self._tasks.aclose()
        await self._dispatcher.pause()
        active = len(await self._runs.list_active())
        self._see_through()
        return Stopped(already=was_stopped and not active, active=active)

    async def status(self) -> SystemStatus:
        """How everything is, at the same cost for any length of the queue."""
        counts = await self._queue.counts()
        oldest_seq, last_seq = await self._hub.bounds()
        return SystemStatus(
            state=self._state(counts),
            started_at=self._started_at,
            uptime_sec=self._clock.monotonic() - self._began,
            workers=self._dispatcher.workers(),
            counts=counts,
            log_stream=self._hub.counters,
            oldest_seq=oldest_seq,
            last_seq=last_seq,
        )

    def stopped_since(self) -> float | None:
        """Since when nothing is dispatched (seconds since the epoch), or None."""
        return self._stopped_since

    def check_alive(self) -> None:
        """Return if every part does its work.

        Raises:
            NotAlive: one has died, or has found damage; the server's log says how.
        """
        if not all(part.alive for part in self._parts):
            raise NotAlive(
                "A part of the server is not well; its log says which, and what to do: most often "
                "to restart the server."
            )

    async def check_ready(self) -> None:
        """Return if the server should get requests.

        Raises:
            NotReady: it shuts down, or its store does not answer.
        """
        if self._shutting_down:
            raise NotReady("The server is shutting down.")
        try:
            await self._queue.pauses()  # is read in any case
        except StoreUnavailable as error:
            raise NotReady(str(error)) from error

    def shut_down(self) -> None:
        """From now on the server is not ready; what it was asked before still goes on."""
        self._shutting_down = True

    async def aclose(self) -> None:
        """End what `stop` has begun."""
        await self._tasks.aclose()

    def _state(self, counts: QueueCounts) -> SystemState:
        if self._stopped_since is None:
            up = any(worker.state == "ready" for worker in self._dispatcher.workers())
            return SystemState.RUNNING if up else SystemState.STARTING
        active = sum(counts.by_state[state] for state in HOLDS_A_SLOT)
        return SystemState.DRAINING if active else SystemState.STOPPED

    def _see_through(self) -> None:
        """End what is under way as the stop that holds says, if one does."""
        if self._stop is not None:
            self._tasks.spawn(self._end_active(self._stop))

    async def _end_active(self, stop: Stop) -> None:
        if stop.cancels:
            await self._cancel_active("graceful")
        if stop.ends_at is not None:
            await self._clock.sleep(max(0.0, stop.ends_at - self._clock.now()))
            await self._cancel_active("kill" if stop.cancels else "graceful")

    async def _cancel_active(self, mode: str) -> None:
        """Cancel every run under way, as soon as the store is available."""

        async def cancel_each() -> None:
            for run in await self._runs.list_active():
                with suppress(RunNotFound, RunFinished):  # it ended by itself meanwhile
                    await self._cancel_run(run.cid, mode=mode, reason="The system was stopped.")

        complaint = "store unavailable, runs are cancelled later"
        await persist(cancel_each, self._clock, _log, complaint, action="stop_waits")
