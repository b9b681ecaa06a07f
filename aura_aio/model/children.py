"""Child runs: what a step asks for with `aura.run_task`, what it is told, and the ports behind it.

May import the standard library, msgspec and other modules of `model` only.
"""

from typing import Protocol

import msgspec

from aura_aio.model.errors import TooDeep
from aura_aio.model.plan import Definition
from aura_aio.model.run import Run, RunError, Tasklet
from aura_aio.model.sealing import PassedOn
from aura_aio.model.states import RunState
from aura_aio.model.trace import TraceContext


class ChildRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A child run that is asked for by the try `tries` of the step `step` (in the turn `turn` of
    its loop) of an attempt under way; with `wait` the step waits for its end.

    `inputs` is the JSON text of an object; `passed_on` says which of them hold secrets of the
    parent. Without `priority` it is that of the parent. `trace` is where the step belongs.
    """

    parent_cid: str
    attempt: int
    step: str
    turn: int | None
    tries: int
    plan_name: str
    task_name: str
    wait: bool
    inputs: bytes = b"{}"
    passed_on: PassedOn = PassedOn()
    priority: int | None = None
    timeout_sec: float | None = None
    labels: dict[str, str] = {}
    trace: TraceContext | None = None


class ChildEnd(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a child run has ended; `result` is JSON text, of a run that has succeeded."""

    cid: str
    state: RunState
    result: bytes | None = None
    error: RunError | None = None


def check_depth(depth: int, limit: int) -> None:
    """Return if a child run may be `depth` deep below the first one.

    Raises:
        TooDeep: it would be below too many runs.
    """
    if depth > limit:
        raise TooDeep(
            f"This child run would be {depth} deep, and {limit} is the most (child_depth): do "
            "tasks run each other in a ring?"
        )


class Children(Protocol):
    """Admits child runs; what the Dispatcher asks on behalf of an attempt."""

    async def start(self, request: ChildRequest) -> str:
        """Queue a child run, durably; answers its cid. The same call of the same parent gets the
        same child again.

        Raises:
            BadReference, InputsRejected: there is no such task, or the inputs do not fit it.
            InputsTooLarge: they take more room than they may.
            TooDeep: it would be below too many runs.
            ParentEnded: the attempt is not running (any more).
            QueueFull, StoreUnavailable: as `RunStore.enqueue`.
        """
        ...

    async def cancel(self, cid: str, *, reason: str) -> None:
        """Cancel a child run that nobody waits for any more; nothing, if it has ended.

        Raises:
            StoreUnavailable: it could not be made durable.
        """
        ...


class ChildStore(Protocol):
    """What is stored of children beside what is of every run.

    Whatever begins to cancel a run, ends it without success, or sends it back to start from nothing
    cancels its children that are under way, and theirs, in the same transaction: no child outlives
    a parent that has failed.
    """

    async def enqueue_child(self, tasklet: Tasklet, definition: Definition, *, attempt: int) -> str:
        """Queue a child of the attempt `attempt` of its parent; answers its cid. If a run with the
        same parent and origin is there already, that is the child, and nothing is queued.

        Raises:
            ParentEnded: that attempt is not running (any more).
            QueueFull: there would be more queued runs than the limit.
        """
        ...

    async def family(self, cid: str) -> tuple[Run, ...]:
        """The run and those above it, the nearest first; empty if there is no such run. With
        neither inputs nor results.
        """
        ...
