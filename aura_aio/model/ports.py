"""The ports: what the parts ask of each other, and nothing of how it is done.

May import the standard library and `model` only. They stand here, not in `scheduler`, because
dispatch, logs and stores below it speak them too (docs/decisions/0003). What a port promises,
tests/store proves for every store.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import msgspec

from aura_aio.model.log import LogEntry, LogFilter, LogLine
from aura_aio.model.plan import Definition
from aura_aio.model.run import CancelRequest, Outcome, Run, RunChanged, StepRecord, Tasklet
from aura_aio.model.states import RunState

if TYPE_CHECKING:
    from asyncio import Future

T = TypeVar("T")

Publish = Callable[[RunChanged], None]
"""Takes one fact after its commit, on the event loop; must return at once."""


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A piece of a list; `next_cursor` is None on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None = None


class IdempotencyKey(msgspec.Struct, frozen=True):
    """A client's key, the digest of what it was sent with, and what a repeat is to be told.

    `memo` is kept as it is, and handed out again with `Accepted` when the key comes back.
    """

    key: str
    body_digest: str
    memo: bytes = b""


class Accepted(msgspec.Struct, frozen=True):
    """The answer of `RunStore.enqueue`: the cids, in order; `replayed` when an earlier request had
    stored them, and then `memo` is what that one left with its key.
    """

    cids: tuple[str, ...]
    replayed: bool = False
    memo: bytes = b""


class RunFilter(msgspec.Struct, frozen=True):
    """Which runs a list holds: every condition that is set must hold; times in seconds since the
    epoch.

    `plans` (None: all) and `statuses` are any of; `labels` are all of; `q` is text that the cid,
    plan, task or a label value contains, whatever the case of its ASCII letters. A time that is
    `…_after` is in, one that is `…_before` is out.
    """

    plan_name: str | None = None
    plans: frozenset[str] | None = None
    task_name: str | None = None
    statuses: tuple[RunState, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    created_after: float | None = None
    created_before: float | None = None
    finished_after: float | None = None
    finished_before: float | None = None
    q: str | None = None
    parent_cid: str | None = None
    retry_of: str | None = None


class RunStore(Protocol):
    """The runs: accepted, read, ended. Every write is durable when its call returns."""

    async def enqueue(
        self,
        tasklets: Sequence[Tasklet],
        definitions: Sequence[Definition],
        idempotency: IdempotencyKey | None = None,
        *,
        finished: Sequence[StepRecord] = (),
    ) -> Accepted:
        """Store all of `tasklets` as queued runs, or none.

        `definitions` holds every definition they name. `finished` are the steps that runs of these
        begin with, under the attempt `HANDED_DOWN`: they are not run again. With `idempotency`, the
        key is looked up and kept in the same transaction; a repeated key answers the first cids and
        stores nothing.

        Raises:
            QueueFull: there would be more queued runs than the limit.
            IdempotencyMismatch: the key was used with another body.
            StoreUnavailable: it could not be made durable.
        """
        ...

    async def get(self, cid: str) -> Run | None:
        """The run with inputs and result, or None."""
        ...

    async def list_runs(
        self, where: RunFilter, *, limit: int, cursor: str | None, include: frozenset[str]
    ) -> Page[Run]:
        """Runs, the newest first. `include` may hold `inputs` and `result`.

        Raises:
            BadCursor: the cursor is not one of this list's.
        """
        ...

    async def list_active(self) -> tuple[Run, ...]:
        """Every run that is running or cancelling, the oldest first, with neither inputs nor
        result.
        """
        ...

    async def states(self, cids: Sequence[str]) -> Mapping[str, Run]:
        """Those of `cids` that exist, with neither inputs nor result."""
        ...

    async def request_cancel(self, cid: str, request: CancelRequest) -> Run:
        """Cancel a queued run at once, mark a running one as cancelling (again: the same, and the
        first request stays, but for one that is the first to say kill); answers the run after it.

        Raises:
            RunNotFound: no such run.
            RunFinished: it has ended.
        """
        ...

    async def request_cancel_each(
        self, cids: Sequence[str], request: CancelRequest, *, only_queued: bool
    ) -> tuple[RunState | None, ...]:
        """`request_cancel` for each, in one transaction: its state after it, or None for one that
        has ended or does not exist; or, with `only_queued`, is not queued any more.
        """
        ...

    async def finish(
        self, outcomes: Sequence[Outcome], steps: Sequence[StepRecord] = ()
    ) -> tuple[RunState | None, ...]:
        """Keep what `steps` did (see `record_steps`), then end attempts as their Runners report, in
        one transaction; None in place of a state for each outcome that was stale.

        A result is kept of a run that succeeded, an error of one that failed or timed out (there is
        always one); a cancelled run has neither.
        """
        ...

    async def lose(
        self, attempts: Sequence[tuple[str, int]], *, reason: str, retry: bool = True
    ) -> tuple[RunState | None, ...]:
        """The worker of these attempts (cid, attempt) is gone: `on_crash` decides, run by run.

        `reason` is a sentence for the error. A run that has lost `max_attempts` attempts fails as
        PoisonRun. With `retry` false nothing is queued again. None for each that was stale.
        """
        ...

    async def recover(self) -> Mapping[str, tuple[str, ...]]:
        """At start, before any claim: every run that was running has lost its worker.

        Answers the cids under `requeued`, `failed` and `cancelled`.
        """
        ...

    async def definition(self, digest: str) -> Definition | None:
        """The frozen definition of that digest."""
        ...

    async def record_steps(self, records: Sequence[StepRecord]) -> None:
        """Keep what steps did; a later record of the same cid, attempt and step replaces an
        earlier one. What a step has changed in the state of its plan is changed with it, key by
        key.

        A record of an attempt that is not under way (any more) is dropped, and changes nothing:
        what a run had finished when it is queued again stays as it is.
        """
        ...

    async def steps(self, cid: str) -> tuple[StepRecord, ...]:
        """The records of a run, all attempts, in the order of their start.

        A step that was finished by an earlier attempt than that which goes on from there stands
        once, under the attempt that carried it out.
        """
        ...

    async def finished_steps(self, cid: str) -> tuple[StepRecord, ...]:
        """What the attempts of a run have finished so far (success, failed, skipped): the latest
        record of each step, in the order of their end.
        """
        ...


class LogStore(Protocol):
    """The log entries of all runs and of the server."""

    async def append(self, lines: Sequence[LogLine]) -> tuple[LogEntry, ...]:
        """Number and keep `lines`, all in one transaction."""
        ...

    async def read(
        self, where: LogFilter, *, after: int, up_to: int | None, limit: int
    ) -> tuple[LogEntry, ...]:
        """Entries with `after` < seq (≤ `up_to`), in order, at the most `limit`."""
        ...

    async def bounds(self) -> tuple[int, int]:
        """(the oldest seq that is kept, the newest seq that was given); (1, 0) before the first
        entry.
        """
        ...


class ActiveAttempt(msgspec.Struct, frozen=True):
    """What a Dispatcher knows of an attempt under way that no store holds."""

    worker: str
    steps: tuple[str, ...]
    progress: float | None = None
    progress_message: str | None = None


class WorkerStatus(msgspec.Struct, frozen=True):
    """A worker as the status shows it; `state` is starting, ready, retiring."""

    name: str
    pid: int | None
    state: str
    slots: int
    busy: int


class Dispatcher(Protocol):
    """Claims queued runs and hands Tasklets to workers, in order, within the limits."""

    async def start(self) -> None:
        """Begin to dispatch; workers may still be on their way up. Idempotent."""
        ...

    async def drain(self) -> None:
        """Claim nothing more; return when every attempt under way has ended."""
        ...

    async def pause(self) -> None:
        """Claim nothing more; return at once, attempts under way go on."""
        ...

    async def aclose(self, *, grace_sec: float) -> None:
        """Drain for `grace_sec`, then end the workers; what still ran is lost, as `on_crash`
        says.
        """
        ...

    def cancel(self, cid: str, *, grace_sec: float) -> None:
        """End the attempt of this run, if one is under way; its actions may take `grace_sec`.

        Call it after the store knows of the cancel. An attempt that does not end is ended with
        its worker.
        """
        ...

    def run_changed(self, fact: RunChanged) -> None:
        """Look at the queue again, if a run joined it, left it or moved in it."""
        ...

    def look_again(self) -> None:
        """Look at the queue again: what was paused may start now."""
        ...

    def run_comes(self) -> None:
        """A run is about to be queued, by a call that follows at once: if it can start, it is
        claimed in the transaction that queues it. Without this it is claimed in the next one.
        """
        ...

    async def reload(self, switch: Callable[[], None]) -> None:
        """Let attempts that begin from now on see the actions as they are on disk now.

        `switch` is called at a moment when no attempt is on its way to a worker: what it makes
        known is met by no worker that was there before. Attempts under way go on as they began.
        """
        ...

    @property
    def alive(self) -> bool:
        """Whether all of its coroutine tasks do their work."""
        ...

    def active(self) -> Mapping[str, ActiveAttempt]:
        """The attempts under way, by cid."""
        ...

    def workers(self) -> tuple[WorkerStatus, ...]:
        """The workers, by name."""
        ...

    def plans(self) -> Mapping[str, Mapping[str, str]]:
        """The plans of which each host takes runs, by its id: their digests by their names. None
        where there can be no others.
        """
        ...


class LogSink(Protocol):
    """Where lines enter the shared log queue."""

    def room(self) -> int:
        """How many lines fit in now."""
        ...

    async def put(self, lines: Sequence[LogLine]) -> None:
        """Return when `lines` are stored; waits while the queue is full."""
        ...

    def put_at_once(self, lines: Sequence[LogLine]) -> "Future[None] | None":
        """Take `lines` now: they are stored with what this turn of the event loop has the store
        write. The future is done once they are; None, and nothing is taken, without room for all.
        """
        ...
