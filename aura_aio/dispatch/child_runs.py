"""The server's end of `aura.run_task`: child runs are started for attempts, and their ends told.

May import the rest of `dispatch` but `local`, `worker.frames` and model; what admits child runs and
the store come in as ports.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aura_aio.dispatch.attempts import Attempt
from aura_aio.model.children import ChildEnd, Children
from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.errors import AuraError
from aura_aio.model.persistence import persist
from aura_aio.model.ports import RunStore
from aura_aio.model.run import Run
from aura_aio.model.states import TERMINAL
from aura_aio.worker.frames import DropChild, RunChild

_log = logging.getLogger("aura.dispatch.child_runs")

T = TypeVar("T")


class _Call:
    """A call of `aura.run_task` that is under way in a worker."""

    def __init__(self, attempt: Attempt, frame: RunChild) -> None:
        self.attempt = attempt
        self.number = frame.number
        self.request = frame.request
        self.child_cid: str | None = None
        self.is_dropped = False


class ChildRuns:
    """Starts the child runs that attempts ask for, and tells each call how its child has ended."""

    def __init__(self, children: Children, runs: RunStore, clock: Clock) -> None:
        self._children = children
        self._runs = runs
        self._clock = clock
        self._calls: dict[tuple[str, int], _Call] = {}
        self._awaited: dict[str, list[_Call]] = {}
        self._tasks = CoroutineTasks()

    def ask(self, attempt: Attempt, frame: RunChild) -> None:
        """An attempt asks for a child run."""
        call = _Call(attempt, frame)
        self._calls[attempt.worker.name, frame.number] = call
        self._tasks.spawn(self._start(call))

    def drop(self, worker: str, frame: DropChild) -> None:
        """A call has ended before its child: cancel that."""
        call = self._calls.get((worker, frame.number))
        if call is None or call.is_dropped:
            return
        call.is_dropped = True
        if call.child_cid is not None:
            self._stop_waiting(call)
            self._tasks.spawn(self._cancel(call, call.child_cid))

    def forget(self, attempt: Attempt) -> None:
        """An attempt is over: nobody there waits any more. (What becomes of its children is decided
        where its end is stored.)
        """
        for call in [each for each in self._calls.values() if each.attempt is attempt]:
            self._stop_waiting(call)
            self._forget(call)

    def run_ended(self, cid: str) -> None:
        """A run has ended: if it is a child that is waited for, its parent goes on."""
        calls = self._awaited.pop(cid, ())
        for call in calls:
            call.attempt.go_on(call.request.step)
            self._forget(call)
        if calls:
            self._tasks.spawn(self._tell(cid, list(calls)))

    def awaited(self) -> frozenset[str]:
        """The children that attempts under way wait for."""
        return frozenset(self._awaited)

    @property
    def alive(self) -> bool:
        """Whether every call is looked after."""
        return not self._tasks.died

    async def aclose(self) -> None:
        """Look after no call any more."""
        await self._tasks.aclose()

    async def _start(self, call: _Call) -> None:
        link = call.attempt.worker.link
        try:
            cid = await self._persist(lambda: self._children.start(call.request))
        except AuraError as error:
            self._forget(call)
            link.child_refused(call.number, str(error))
            return
        call.child_cid = cid
        if call.is_dropped:
            await self._cancel(call, cid)
            return
        link.child_started(call.number, cid)
        if not call.request.wait or call.attempt.is_over:
            self._forget(call)
            return
        self._awaited.setdefault(cid, []).append(call)
        call.attempt.wait(call.request.step)
        run = await self._persist(lambda: self._runs.get(cid))
        if run is not None and run.state in TERMINAL:  # it may have been before it was awaited
            self.run_ended(cid)

    async def _tell(self, cid: str, calls: list[_Call]) -> None:
        run = await self._persist(lambda: self._runs.get(cid))
        if run is None:
            raise LookupError(f"the run {cid} has ended, and is not there")
        for call in calls:
            call.attempt.worker.link.child_ended(call.number, _end_of(run))

    async def _cancel(self, call: _Call, cid: str) -> None:
        self._forget(call)
        step = call.request.step
        reason = f"The step {step!r} of its parent {call.request.parent_cid} does not wait for it."
        await self._persist(lambda: self._children.cancel(cid, reason=reason))

    async def _persist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What is answered, as soon as the store is available."""
        complaint = "store unavailable, child runs wait"
        return await persist(ask, self._clock, _log, complaint, action="child_runs_wait")

    def _stop_waiting(self, call: _Call) -> None:
        calls = self._awaited.get(call.child_cid or "", [])
        if call in calls:
            calls.remove(call)
            call.attempt.go_on(call.request.step)
            if not calls:
                del self._awaited[call.child_cid or ""]

    def _forget(self, call: _Call) -> None:
        self._calls.pop((call.attempt.worker.name, call.number), None)


def _end_of(run: Run) -> ChildEnd:
    return ChildEnd(run.cid, run.state, run.result, run.error)
