"""What Scheduler and Store promise of runs and their order, kept in memory in the plainest way.

Imports aura_aio.model, `modelled` and `tests.queue_walk`.
"""

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from aura_aio.model.clock import Clock
from aura_aio.model.errors import (
    IdempotencyMismatch,
    NotQueued,
    QueueFull,
    ReorderRejected,
    RunFinished,
    RunNotFinished,
    RunNotFound,
)
from aura_aio.model.queue_store import QueueCounts
from aura_aio.model.run import CancelRequest, OnCrash, Outcome, RunChanged, RunEnd
from aura_aio.model.states import HOLDS_A_SLOT, TERMINAL, RunEvent, RunState
from tests.queue_walk import Waiting, walk
from tests.scheduler.modelled import Asked, Key, Modelled

ENDS = {
    RunEvent.SUCCEED: RunState.SUCCEEDED,
    RunEvent.FAIL: RunState.FAILED,
    RunEvent.TIME_OUT: RunState.TIMED_OUT,
    RunEvent.STOPPED: RunState.FAILED,
}


@dataclass
class QueueModel:
    """Every method does what the Scheduler or the Store of its name does, or raises what that
    raises; what it has changed stands in `facts`.

    `order` has the ready runs of each priority. Where a run comes in that does not go to the end
    and cannot be compared by arrival, nobody has promised the exact place: it is `unplaced` until
    it was looked at.
    """

    clock: Clock
    queue_limit: int
    max_attempts: int = 3
    keep_keys_sec: float = 86_400.0
    runs: dict[str, Modelled] = field(default_factory=dict)
    order: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    unplaced: set[str] = field(default_factory=set)
    pauses: dict[str, float] = field(default_factory=dict)
    keys: dict[str, tuple[str, tuple[str, ...], float]] = field(default_factory=dict)
    facts: list[RunChanged] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    # --- Runs come

    def accept(self, asked: Sequence[Asked], key: Key | None, cids: Iterator[str]) -> list[str]:
        """Queue runs, which get `cids`; or answer those of the first request with the key."""
        now = self.clock.now()
        if key is not None and key.name in self.keys:
            body, first, kept_at = self.keys[key.name]
            if kept_at > now - self.keep_keys_sec:
                if body != key.body:
                    raise IdempotencyMismatch(key.name)
                return list(first)
        if len(self.queued()) + len(asked) > self.queue_limit:
            raise QueueFull(self.queue_limit)
        accepted = [self._accept(each, next(cids), now) for each in asked]
        if key is not None:
            self.keys[key.name] = (key.body, tuple(accepted), now)
        return accepted

    def _accept(self, asked: Asked, cid: str, now: float) -> str:
        kind, priority, run_at, retry_of, parent_cid, depth, call = asked
        run = Modelled(cid, kind, now, priority, run_at, retry_of, parent_cid, depth, call)
        run.ready_at = max(now, asked.run_at or now)
        run.delayed = run.ready_at > now
        self.runs[cid] = run
        if run.parent_cid is not None:
            self._enter(run)
        elif not run.delayed:
            self.order[run.priority].append(cid)
        self._tell(run, None, now)
        return cid

    def join_due(self) -> None:
        """Let delayed runs that are due join the queue."""
        due = [run for run in self.queued() if run.delayed and run.ready_at <= self.clock.now()]
        for run in sorted(due, key=lambda run: (run.ready_at, run.cid)):
            run.delayed = False
            self._enter(run)
            self._tell(run, RunState.QUEUED, run.ready_at)

    def _enter(self, run: Modelled) -> None:
        line = self.order[run.priority]
        if run.moved or any(self.runs[cid].moved for cid in line):
            self.unplaced.add(run.cid)
        insort(line, run.cid, key=self._place)

    def place(self, seen: Sequence[str]) -> None:
        """Compare with the ready runs as they were `seen`, and learn where the unplaced stand."""
        lines: defaultdict[int, list[str]] = defaultdict(list)
        for cid in seen:
            lines[self.runs[cid].priority].append(cid)
        assert list(lines) == sorted(lines, reverse=True), "priorities are mixed"
        for priority in {*lines, *self.order}:
            line, known = lines[priority], self.order[priority]
            assert sorted(line) == sorted(known), "the ready runs of a priority"
            settled = [cid for cid in line if cid not in self.unplaced]
            assert settled == [cid for cid in known if cid not in self.unplaced], "their order"
            plain = [cid for cid in line if not self.runs[cid].moved]
            assert plain == sorted(plain, key=self._place), "the order of those not moved"
            self.order[priority] = line
        self.unplaced.clear()

    # --- Runs go

    def claim(
        self, workers: Sequence[str], among: Collection[str] | None = None
    ) -> list[tuple[str, int]]:
        """What starts, in order: cid and attempt."""
        if not workers:
            return []
        self.join_due()
        if "" in self.pauses:
            return []
        waiting = [
            Waiting((-run.priority, index, run.cid), run.kind.limits)
            for index, run in enumerate(self.ready())
            if run.kind.plan_name not in self.pauses and (among is None or run.cid in among)
        ]
        started = walk(waiting, [run.kind.limits for run in self.active()], len(workers))
        attempts = []
        for worker, each in zip(workers, started, strict=False):
            run = self.runs[each.order[2]]
            self.order[run.priority].remove(run.cid)
            run.worker, run.started_at = worker, self.clock.now()
            self._turn(run, RunState.RUNNING, self.clock.now())
            attempts.append((run.cid, run.attempt))
        return attempts

    def finish(self, outcomes: Sequence[Outcome]) -> list[RunState | None]:
        """End attempts."""
        with self.transaction():
            return [self._finish(outcome) for outcome in outcomes]

    def _finish(self, outcome: Outcome) -> RunState | None:
        run = self.runs[outcome.cid]
        if run.attempt != outcome.attempt or run.state not in HOLDS_A_SLOT:
            return None
        end = ENDS[outcome.event]
        if run.state is RunState.CANCELLING and end is not RunState.SUCCEEDED:
            end = RunState.CANCELLED
        if end is RunState.SUCCEEDED:
            run.result = outcome.result
        elif end is not RunState.CANCELLED:
            assert outcome.error is not None
            run.error = outcome.error.type
        self._end(run, end, outcome.finished_at)
        return end

    def lose(
        self, attempts: Iterable[tuple[str, int]], *, retry: bool = True
    ) -> list[RunState | None]:
        """The workers of these are gone."""
        with self.transaction():
            return [self._lose(self.runs[cid], attempt, retry=retry) for cid, attempt in attempts]

    def _lose(self, run: Modelled, attempt: int, *, retry: bool) -> RunState | None:
        now = self.clock.now()
        if run.attempt != attempt or run.state not in HOLDS_A_SLOT:
            return None
        if run.state is RunState.CANCELLING:
            self._end(run, RunState.CANCELLED, now)
        elif not retry or run.kind.on_crash is OnCrash.FAIL:
            run.error = "WorkerLost"
            self._end(run, RunState.FAILED, now)
        elif attempt >= self.max_attempts:
            run.error = "PoisonRun"
            self._end(run, RunState.FAILED, now)
        else:
            run.attempt, run.started_at, run.worker, run.ready_at = attempt + 1, None, None, now
            self._turn(run, RunState.QUEUED, now)
            self._enter(run)
        return run.state

    def recover(self) -> dict[str, tuple[str, ...]]:
        """The server has begun again."""
        lost = sorted(run.cid for run in self.active())
        states = self.lose([(cid, self.runs[cid].attempt) for cid in lost])
        words = {"requeued": "queued", "failed": "failed", "cancelled": "cancelled"}
        return {
            word: tuple(cid for cid, end in zip(lost, states, strict=True) if end == state)
            for word, state in words.items()
        }

    # --- Runs are cancelled

    def cancel(self, cid: str, request: CancelRequest) -> RunState:
        """Somebody asks for the end of a run."""
        with self.transaction():
            return self._cancel(cid, request)

    def _cancel(self, cid: str, request: CancelRequest) -> RunState:
        run, now = self._known(cid), self.clock.now()
        if run.state in TERMINAL:
            raise RunFinished(cid, run.state)
        if run.state is RunState.QUEUED:
            run.cancel = request
            self._leave(run)
            self._end(run, RunState.CANCELLED, now)
        elif run.cancel is None or (run.cancel.mode != "kill" and request.mode == "kill"):
            run.cancel = request
            self._turn(run, RunState.CANCELLING, now, grace_sec=request.actions_grace_sec)
        return run.state

    def cancel_all(
        self, request: CancelRequest, plan_name: str | None, states: Collection[RunState]
    ) -> Counter[RunState]:
        """Of one plan, or of all: those in `states`, the newest first."""
        found = [
            run
            for run in reversed(self.runs.values())
            if run.state in states and plan_name in {None, run.kind.plan_name}
        ]
        with self.transaction():
            return Counter(self._cancel(run.cid, request) for run in found)

    # --- The order changes

    def set_priority(self, cid: str, priority: int) -> None:
        """It goes behind those that arrived before it."""
        run = self._queued(cid)
        self._leave(run)
        run.priority, run.moved = priority, False
        if not run.delayed:
            self._enter(run)
        self._tell(run, RunState.QUEUED, self.clock.now())

    def move_to_position(self, cid: str, position: int) -> None:
        """It is number `position` of the ready ones of its priority."""
        run = self._queued(cid)
        others = [other for other in self.order[run.priority] if other != cid]
        if position > 1 and not others:
            return
        if not run.delayed:
            others.insert(max(0, position - 1), cid)
            self.order[run.priority] = others
        self._move(run)

    def reorder(self, cids: Sequence[str]) -> None:
        """These go first within their priorities, if all of them are queued."""
        faults = [
            (f"/cid_order/{index}", "")
            for index, cid in enumerate(cids)
            if cid in cids[:index]
            or cid not in self.runs
            or self.runs[cid].state is not RunState.QUEUED
        ]
        if faults:
            raise ReorderRejected(faults)
        for priority, line in self.order.items():
            named = [cid for cid in cids if cid in line]
            self.order[priority] = [*named, *(cid for cid in line if cid not in named)]
        for cid in cids:
            self._move(self.runs[cid])

    def set_run_at(self, cid: str, run_at: float) -> None:
        """It waits until then."""
        run, now = self._queued(cid), self.clock.now()
        was_delayed, run.delayed = run.delayed, run_at > now
        run.run_at, run.ready_at = run_at, max(run_at, now)
        if run.delayed and not was_delayed:
            self._leave(run)
        elif was_delayed and not run.delayed:
            self._enter(run)
        self._tell(run, RunState.QUEUED, now)

    # --- What can be seen

    def queued(self) -> list[Modelled]:
        """Every run in the queue, the oldest first."""
        return [run for run in self.runs.values() if run.state is RunState.QUEUED]

    def ready(self) -> list[Modelled]:
        """In dispatch order."""
        return [self.runs[cid] for priority in sorted(self.order, reverse=True)
                for cid in self.order[priority]]  # fmt: skip

    def delayed(self) -> list[Modelled]:
        """By the time they are due."""
        return sorted(
            (run for run in self.queued() if run.delayed), key=lambda run: (run.ready_at, run.cid)
        )

    def active(self) -> list[Modelled]:
        """Those that hold a slot."""
        return [run for run in self.runs.values() if run.state in HOLDS_A_SLOT]

    def finished(self, cid: str) -> Modelled:
        """A run that can be done over."""
        run = self._known(cid)
        if run.state not in TERMINAL:
            raise RunNotFinished(cid, run.state)
        return run

    def counts(self) -> QueueCounts:
        """The figures, counted anew."""
        now, queued, ready = self.clock.now(), self.queued(), self.ready()
        states = Counter(run.state for run in self.runs.values())
        waits = sorted(
            run.started_at - run.ready_at
            for run in self.runs.values()
            if run.started_at is not None and run.started_at > now - 3600
        )
        slots = [int(now // 10) - int(at // 10) for at in self.ends]
        return QueueCounts(
            ready=len(ready),
            delayed=len(queued) - len(ready),
            running=len(self.active()),
            by_plan=Counter(run.kind.plan_name for run in queued),
            by_priority=Counter(run.priority for run in queued),
            by_state={state: states[state] for state in RunState},
            avg_wait_sec=sum(waits) / len(waits) if waits else None,
            p95_wait_sec=waits[-(-len(waits) * 95 // 100) - 1] if waits else None,
            oldest_ready_at=min((run.ready_at for run in ready), default=None),
            throughput={
                f"m{minutes}": sum(slot < minutes * 6 for slot in slots) for minutes in (5, 15, 60)
            },
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What happens at once, and what follows from it, which nobody has asked for."""
        begun = len(self.facts)
        yield
        self.follow(begun)

    def follow(self, begun: int) -> None:
        """Nothing does, of runs that have no children."""

    def _place(self, cid: str) -> tuple[int, str]:
        return self.runs[cid].place

    def _known(self, cid: str) -> Modelled:
        if cid not in self.runs:
            raise RunNotFound(cid)
        return self.runs[cid]

    def _queued(self, cid: str) -> Modelled:
        run = self._known(cid)
        if run.state is not RunState.QUEUED:
            raise NotQueued(cid, run.state)
        return run

    def _leave(self, run: Modelled) -> None:
        if run.cid in self.order[run.priority]:
            self.order[run.priority].remove(run.cid)

    def _move(self, run: Modelled) -> None:
        run.moved = True
        self._tell(run, RunState.QUEUED, self.clock.now())

    def _end(self, run: Modelled, end: RunState, at: float) -> None:
        run.finished_at = at
        if run.state in HOLDS_A_SLOT:
            self.ends.append(at)
        told = RunEnd(run.kind.plan_name, run.kind.task_name, run.started_at)
        self._turn(run, end, at, ended=told)

    def _turn(
        self,
        run: Modelled,
        target: RunState,
        at: float,
        *,
        ended: RunEnd | None = None,
        grace_sec: float | None = None,
    ) -> None:
        source, run.state = run.state, target
        self._tell(run, source, at, ended=ended, grace_sec=grace_sec)

    def _tell(
        self,
        run: Modelled,
        source: RunState | None,
        at: float,
        *,
        ended: RunEnd | None = None,
        grace_sec: float | None = None,
    ) -> None:
        self.facts.append(RunChanged(run.cid, source, run.state, run.attempt, at, ended, grace_sec))
