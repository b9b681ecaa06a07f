"""What steps ask the server for while they run: child runs and events.

May import the rest of `dispatch` but `local`, `worker.frames` and model.
"""

from collections.abc import Callable

from aura_aio.dispatch.attempts import Attempt
from aura_aio.dispatch.child_runs import ChildRuns
from aura_aio.dispatch.event_calls import EventCalls
from aura_aio.dispatch.supervisor import Worker
from aura_aio.worker.frames import DropChild, DropWait, FromCalls, RunChild, WaitForEvent

FindAttempt = Callable[[str, int], Attempt | None]
"""The attempt of a run with this number, if it is under way."""


class Calls:
    """Answers the calls of all workers. An attempt all of whose steps wait gives its slot away."""

    def __init__(self, child_runs: ChildRuns, events: EventCalls) -> None:
        self._child_runs = child_runs
        self._events = events

    def take(self, worker: Worker, frame: FromCalls, find: FindAttempt) -> None:
        """A step asks for something, or asks no more."""
        match frame:
            case RunChild():
                attempt = find(frame.request.parent_cid, frame.request.attempt)
                if attempt is not None:
                    self._child_runs.ask(attempt, frame)
                else:
                    told = "The attempt that asks for it has ended."
                    worker.link.child_refused(frame.number, told)
            case DropChild():
                self._child_runs.drop(worker.name, frame)
            case WaitForEvent():
                attempt = find(frame.wanted.cid, frame.wanted.attempt)
                if attempt is not None:
                    self._events.ask(attempt, frame)
            case DropWait():
                self._events.drop(worker.name, frame)

    def forget(self, attempt: Attempt) -> None:
        """An attempt is over: nobody there waits any more."""
        self._child_runs.forget(attempt)
        self._events.forget(attempt)

    def run_ended(self, cid: str) -> None:
        """A run has ended: if it is a child that is waited for, its parent goes on."""
        self._child_runs.run_ended(cid)

    def awaited(self) -> frozenset[str]:
        """The runs that attempts under way wait for, and that must run for them to go on."""
        return self._child_runs.awaited()

    @property
    def alive(self) -> bool:
        """Whether every call is looked after."""
        return self._child_runs.alive and self._events.alive

    async def aclose(self) -> None:
        """Look after no call any more."""
        await self._child_runs.aclose()
        await self._events.aclose()
