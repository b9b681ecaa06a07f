"""The port of the queue: what is asked of the runs that wait, and what is told of them.

May import the standard library, msgspec and other modules of `model` only. It stands beside
`model.ports`, and what it promises, tests/store proves for every store.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from aura_aio.model.fleet import PlanDigests
from aura_aio.model.limits import Limits
from aura_aio.model.plan import Definition
from aura_aio.model.ports import Accepted, IdempotencyKey, Page
from aura_aio.model.run import Run, Tasklet
from aura_aio.model.states import RunState


class QueueCounts(msgspec.Struct, frozen=True):
    """How long the queue is and how it moved; read at a cost that does not grow with it.

    `by_plan` and `by_priority` count queued runs, delayed ones too; `running` counts cancelling
    ones too; `by_state` has every state. Waits are those of the latest runs that started (seconds
    from being ready to the claim; at the most 1,000 of them, none older than an hour); `throughput`
    counts the runs that have ended, having started, in the last 5, 15 and 60 minutes (`m5`, `m15`,
    `m60`).
    """

    ready: int
    delayed: int
    running: int
    by_plan: Mapping[str, int]
    by_priority: Mapping[int, int]
    by_state: Mapping[RunState, int]
    avg_wait_sec: float | None
    p95_wait_sec: float | None
    oldest_ready_at: float | None
    throughput: Mapping[str, int]


class Position(msgspec.Struct, frozen=True):
    """Where a queued run stands: `ahead` ready runs go before it; a delayed one has none.

    `exact` is False when a store has stopped counting: then `ahead` is the least it can be.
    """

    ahead: int
    delayed_until: float | None
    exact: bool = True


class Holder(msgspec.Struct, frozen=True):
    """A run that is under way, and what it holds; `started_at` in seconds since the epoch."""

    cid: str
    limits: Limits
    started_at: float


class QueueStore(Protocol):
    """The runs in state queued, in dispatch order: priority (higher first), rank, arrival."""

    async def claim(
        self,
        workers: Sequence[str],
        among: Collection[str] | None = None,
        served: PlanDigests | None = None,
    ) -> tuple[Tasklet, ...]:
        """Take at most one run per entry of `workers` out of the queue, in order, for those
        workers; with `among` only of these few cids, with `served` only of these plans.

        With `served`, runs are left to the other hosts that were accepted with a plan as another
        host has it, and this one has not (`model.fleet.left_to_others`); not those `among`. If such
        a host has room, what the first of them need is kept for them.

        Delayed runs that are due have joined the queue before. A run is never handed out twice.
        Each comes with what its plan keeps now. What is paused is left alone. One whose limits have
        no room is passed over; what it needs is kept for it, and others go on
        (`model.lanes.startable`). However many are passed over, it costs the same.
        """
        ...

    async def holders(self) -> tuple[Holder, ...]:
        """Every run that is running or cancelling and holds a limit, by the time of its start."""
        ...

    async def next_due(self) -> float | None:
        """When the next delayed run is due (seconds since the epoch), or None."""
        ...

    async def set_priority(self, cid: str, priority: int) -> Run:
        """Give a queued run another priority; it goes behind those of the same priority that
        arrived before it, a child before all that are less deep.

        Raises:
            RunNotFound: no such run.
            NotQueued: it is not queued any more.
        """
        ...

    async def insert(
        self,
        tasklet: Tasklet,
        definition: Definition,
        *,
        position: int,
        idempotency: IdempotencyKey | None = None,
    ) -> Accepted:
        """`RunStore.enqueue` of one run, and `move_to_position`, in one transaction.

        Raises:
            As `RunStore.enqueue`.
        """
        ...

    async def move_to_front(self, cid: str) -> Run:
        """Let a queued run go before all others of its priority.

        Raises:
            RunNotFound, NotQueued: as `set_priority`.
        """
        ...

    async def move_to_position(self, cid: str, position: int) -> Run:
        """Let a queued run be number `position` (from 1) of the ready ones of its priority; behind
        all of them, if there are not so many.

        Raises:
            RunNotFound, NotQueued: as `set_priority`.
        """
        ...

    async def reorder(self, cids: Sequence[str]) -> None:
        """Let these queued runs go first within their priorities, in this order; the others keep
        theirs.

        Raises:
            ReorderRejected: one is not queued, or named twice; nothing was moved.
        """
        ...

    async def set_run_at(self, cid: str, run_at: float) -> Run:
        """Let a queued run wait until `run_at` (seconds since the epoch); it is ready at once when
        that has passed.

        Raises:
            RunNotFound, NotQueued: as `set_priority`.
        """
        ...

    async def pause(self, plan_name: str) -> None:
        """Claim no run of this plan from now on, or of any plan if it is empty. Idempotent; holds
        until `resume` is called with the same name, restarts included.
        """
        ...

    async def resume(self, plan_name: str) -> None:
        """Undo `pause`; wake the Dispatcher afterwards. Idempotent."""
        ...

    async def pauses(self) -> Mapping[str, float]:
        """Since when (seconds since the epoch) which plans are paused; an empty name is all."""
        ...

    async def counts(self) -> QueueCounts:
        """The figures of the overview."""
        ...

    async def position(self, run: Run) -> Position:
        """Where the queued `run` stands; or would, if it is none of the store's and was ready."""
        ...

    async def list_queue(
        self, *, delayed: bool, limit: int, cursor: str | None
    ) -> Page[tuple[int, Run]]:
        """Queued runs with their positions from 1, in dispatch order (delayed ones: by the time
        they are due). On later pages positions go on from the page before.

        Raises:
            BadCursor: the cursor is not one of this list's.
        """
        ...
