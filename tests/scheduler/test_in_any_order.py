"""Everything that can happen to runs, in any order: Scheduler and Store against `queue_model`.

Imports Hypothesis, pytest, aura_aio.model and the rest of tests/scheduler.
"""

import asyncio
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from msgspec.structs import replace

from aura_aio.model.ports import IdempotencyKey, RunFilter
from aura_aio.model.run import CancelRequest, Outcome, RunError
from aura_aio.model.states import CANCELLABLE, RunEvent, RunState
from aura_aio.scheduler.admission import RunRequest
from aura_aio.scheduler.retries import RetryRequest
from tests.scheduler.comparing import Compared, Loaded, Pair
from tests.scheduler.modelled import Asked, Key, Kind
from tests.scheduler.strategies import (
    KINDS,
    MISSPELT,
    UNKNOWN,
    asked,
    ends,
    keys,
    modes,
    places,
    plan_names,
    positions,
    priorities,
    task_of,
)
from tests.scheduler.subject import load


class InAnyOrder(Compared):
    """One server's life, and the model's. After each rule all that can be seen is compared."""

    def __init__(self) -> None:
        super().__init__()
        self.attempts: list[tuple[str, int]] = []
        self.numbers = count()

    @initialize()
    def begin(self) -> None:
        """With an empty database."""
        self.runner.run(self.subject.open())

    # --- Runs come

    @rule(asked=asked, key=keys)
    def submit(self, asked: tuple[Kind, int, float | None], key: Key | None) -> None:
        """One run."""
        self.same(
            lambda: self.subject.runs.submit(self.request(asked), self.key("run", key)),
            lambda cids: self.model.accept([self.asked(asked)], _of("run", key), cids),
            lambda accepted: list(accepted.cids),
        )

    @rule(asked=st.lists(asked, max_size=4), key=keys, bad=st.booleans(), atomic=st.booleans())
    def submit_batch(
        self,
        asked: list[tuple[Kind, int, float | None]],
        key: Key | None,
        bad: bool,
        atomic: bool,
    ) -> None:
        """Several in one request, one of which names no task."""
        requests = [*map(self.request, asked), *([MISSPELT] if bad else [])]
        if not asked or (bad and atomic):
            return
        self.same(
            lambda: self.subject.runs.submit_batch(
                requests, atomic=atomic, idempotency=self.key("batch", key)
            ),
            lambda cids: self.model.accept([*map(self.asked, asked)], _of("batch", key), cids),
            lambda batch: [item.cid for item in batch.items if item.cid is not None],
        )

    @rule(asked=asked, index=positions, key=keys)
    def insert(self, asked: tuple[Kind, int, float | None], index: int, key: Key | None) -> None:
        """One run in its place."""

        def modelled(cids: Iterator[str]) -> list[str]:
            known = set(self.model.runs)
            (cid,) = self.model.accept([self.asked(asked)], _of("insert", key), cids)
            if cid not in known:
                self.model.move_to_position(cid, index)
            return [cid]

        self.same(
            lambda: self.subject.queue.insert_into_queue(
                self.request(asked), index=index - 1, idempotency=self.key("insert", key)
            ),
            modelled,
            lambda accepted: list(accepted.cids),
        )

    @rule(place=places)
    def retry(self, place: int) -> None:
        """A finished run is done over."""
        cid = self.cid(place)

        def modelled(cids: Iterator[str]) -> list[str | None]:
            run = self.model.finished(cid)
            return [*self.model.accept([Asked(run.kind, run.priority, None, cid)], None, cids)]

        self.same(
            lambda: self.subject.runs.retry(cid, RetryRequest()),
            modelled,
            lambda retry: [retry.cid],
        )

    # --- Runs go

    @rule(most=st.integers(1, 4), among=st.none() | st.lists(places, max_size=3))
    def claim(self, most: int, among: list[int] | None) -> None:
        """Workers have room."""
        if self.model.runs and any(
            run.ready_at <= self.clock.now() for run in self.model.delayed()
        ):
            self.compare()  # what joins in the claim may stand where only the store knows
        cids = None if among is None else [*map(self.cid, among)]
        workers = [f"w{number}" for number in range(1, most + 1)]
        tasklets = self.same(
            lambda: self.subject.store.queue.claim(workers, cids),
            lambda _: self.model.claim(workers, cids),
            lambda tasklets: [(tasklet.cid, tasklet.attempt) for tasklet in tasklets],
        )
        self.attempts += tasklets or []

    @rule(data=st.lists(st.tuples(places, ends), min_size=1, max_size=3))
    def finish(self, data: list[tuple[int, RunEvent]]) -> None:
        """Attempts end, of now and of before."""
        outcomes = [self.outcome(place, event) for place, event in data if self.attempts]
        self.same(
            lambda: self.subject.store.runs.finish(outcomes),
            lambda _: self.model.finish(outcomes),
            list,
        )

    @rule(data=st.lists(places, min_size=1, max_size=3), retry=st.sampled_from([True, True, False]))
    def lose(self, data: list[int], retry: bool) -> None:
        """Workers are gone."""
        attempts = [self.attempt(place) for place in data if self.attempts]
        self.same(
            lambda: self.subject.store.runs.lose(attempts, reason="Gone.", retry=retry),
            lambda _: self.model.lose(attempts, retry=retry),
            list,
        )

    # --- Runs are cancelled

    @rule(place=places, mode=modes)
    def cancel(self, place: int, mode: str) -> None:
        """One run, which may have ended."""
        cid, request = self.cid(place), self.cancel_request(mode)
        state = self.same(
            lambda: self.subject.runs.cancel(cid, mode=mode),
            lambda _: self.model.cancel(cid, request),
            lambda run: run.state,
        )
        told = [(cid, request.actions_grace_sec)] if state is RunState.CANCELLING else []
        assert self.told_to_cancel() == told

    @rule(place=places, event=ends, cancel_first=st.booleans())
    def cancel_while_it_ends(self, place: int, event: RunEvent, cancel_first: bool) -> None:
        """Both at once, in one transaction or in two."""
        if not self.attempts:
            return
        outcome = self.outcome(place, event)
        deeds: list[Pair] = [
            Pair(
                lambda: self.subject.store.runs.finish([outcome]),
                lambda: self.model.finish([outcome]),
            ),
            Pair(
                lambda: self.subject.runs.cancel(outcome.cid),
                lambda: self.model.cancel(outcome.cid, self.cancel_request("graceful")),
            ),
        ]
        if cancel_first:
            deeds.reverse()
        self.at_once(deeds)
        self.told_to_cancel()

    @rule(plan_name=plan_names, mode=modes, states=st.sets(st.sampled_from(RunState)))
    def cancel_tasks(self, plan_name: str | None, mode: str, states: set[RunState]) -> None:
        """All that a filter lets pass."""
        where = RunFilter(plan_name=plan_name, statuses=tuple(states))
        request = self.cancel_request(mode)
        wanted = CANCELLABLE & (states or CANCELLABLE)
        self.same(
            lambda: self.subject.runs.cancel_tasks(where, mode=mode),
            lambda _: self.model.cancel_all(request, plan_name, wanted),
            lambda done: {
                state: n
                for state, n in (
                    (RunState.CANCELLED, done.cancelled),
                    (RunState.CANCELLING, done.cancelling),
                )
                if n
            },
        )
        self.told_to_cancel()

    @rule(plan_name=plan_names)
    def clear(self, plan_name: str | None) -> None:
        """The whole queue, or a plan's."""
        request = replace(self.cancel_request("graceful"), reason="The queue was cleared.")
        self.same(
            lambda: self.subject.queue.clear_queue(RunFilter(plan_name=plan_name)),
            lambda _: self.model.cancel_all(request, plan_name, {RunState.QUEUED}).total(),
            int,
        )

    # --- The order changes

    @rule(place=places, priority=priorities)
    def set_priority(self, place: int, priority: int) -> None:
        """Of a run that may not be queued any more."""
        cid = self.cid(place)
        self.same(
            lambda: self.subject.queue.set_priority(cid, priority),
            lambda _: self.model.set_priority(cid, priority),
            _nothing,
        )

    @rule(place=places, position=positions)
    def move(self, place: int, position: int) -> None:
        """To the front, or between others."""
        cid = self.cid(place)
        self.same(
            lambda: (
                self.subject.queue.move_to_front(cid)
                if position == 1
                else self.subject.queue.move_to_position(cid, position)
            ),
            lambda _: self.model.move_to_position(cid, position),
            _nothing,
        )

    @rule(data=st.lists(places, max_size=4))
    def reorder(self, data: list[int]) -> None:
        """Some go first; one may be named twice, or not be queued."""
        cids = [*map(self.cid, data)]
        self.same(
            lambda: self.subject.queue.reorder_queue(cids),
            lambda _: self.model.reorder(cids),
            _nothing,
        )

    @rule(place=places, delay=st.sampled_from([-9.0, 0.0, 5.0, 60.0]))
    def set_run_at(self, place: int, delay: float) -> None:
        """Later, or now."""
        cid, run_at = self.cid(place), self.clock.now() + delay
        self.same(
            lambda: self.subject.queue.set_run_at(cid, run_at, None),
            lambda _: self.model.set_run_at(cid, run_at),
            _nothing,
        )

    @rule(plan_name=plan_names)
    def pause(self, plan_name: str | None) -> None:
        """Nothing starts, of a plan or at all."""
        self.runner.run(self.subject.queue.pause_queue(plan_name))
        self.model.pauses.setdefault(plan_name or "", self.clock.now())
        self.compare()

    @rule(plan_name=plan_names)
    def resume(self, plan_name: str | None) -> None:
        """Not any more."""
        self.runner.run(self.subject.queue.resume_queue(plan_name))
        self.model.pauses.pop(plan_name or "", None)
        self.compare()

    # --- Time passes, the server ends

    @rule(seconds=st.sampled_from([0.5, 5.0, 60.0, 400.0, 90_000.0]), look=st.booleans())
    def wait(self, seconds: float, look: bool) -> None:
        """Delayed runs become due, whether somebody looks or not."""
        self.clock.seconds += seconds
        if look:
            self.compare()

    @rule(killed=st.booleans())
    def restart(self, killed: bool) -> None:
        """The server ends and begins again: what ran has lost its worker."""
        self.clock.seconds += 1
        recovered = self.runner.run(self.subject.restart(killed=killed))
        assert recovered == self.model.recover()
        self.compare()

    # --- What is done

    def cid(self, place: int) -> str:
        """Of a run, counted from the newest."""
        if place < 0 or not self.model.runs:
            return UNKNOWN
        known = list(self.model.runs)
        return known[-1 - place % len(known)]

    def attempt(self, place: int) -> tuple[str, int]:
        """One that has begun, counted from the latest; there must be one."""
        return self.attempts[-1 - max(0, place) % len(self.attempts)]

    def outcome(self, place: int, event: RunEvent) -> Outcome:
        """How an attempt ends, with a result and an error: what fits is kept."""
        cid, attempt = self.attempt(place)
        number = next(self.numbers)
        return Outcome(
            cid,
            attempt,
            event,
            self.clock.now(),
            result=str(number).encode(),
            error=RunError(f"Error{number}", "No."),
        )

    def request(self, asked: tuple[Kind, int, float | None]) -> RunRequest:
        """As a client asks."""
        kind, priority, delay = asked
        return RunRequest(
            plan_name=kind.plan_name,
            task_name=kind.task_name,
            priority=priority,
            delay_sec=delay,
        )

    def asked(self, asked: tuple[Kind, int, float | None]) -> Asked:
        """The same for the model."""
        kind, priority, delay = asked
        return Asked(kind, priority, None if delay is None else self.clock.now() + delay)

    def key(self, operation: str, key: Key | None) -> IdempotencyKey | None:
        """As the handler makes it."""
        sent = _of(operation, key)
        return sent and self.subject.runs.idempotency_key(sent.name, sent.body.encode())

    def cancel_request(self, mode: str) -> CancelRequest:
        """As the Scheduler makes it."""
        return CancelRequest(requested_at=self.clock.now(), mode=mode)

    def told_to_cancel(self) -> list[tuple[str, float]]:
        """What the Dispatcher was told since the last time."""
        told, self.subject.hands.cancelled = self.subject.hands.cancelled, []
        return told


def _of(operation: str, key: Key | None) -> Key | None:
    return key and Key(key.name, f"{operation} {key.body}")


def _nothing(_: object) -> None:
    """There is no answer to compare."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> type[InAnyOrder]:
    """The machine, with its plans loaded."""
    tasks = {f"{kind.plan_name}/{kind.task_name}": task_of(kind) for kind in KINDS}
    loaded = asyncio.run(load(tmp_path_factory.mktemp("plans"), tasks))
    return type("InAnyOrder", (InAnyOrder,), {"loaded": Loaded(*loaded)})


def rehearse(machine: type[InAnyOrder], *, examples: int, steps: int) -> None:
    """Let the machine do so much."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )


def test_whatever_happens_in_whatever_order(machine: type[InAnyOrder]) -> None:
    rehearse(machine, examples=20, steps=30)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_whatever_happens_in_whatever_order_for_long(machine: type[InAnyOrder]) -> None:
    rehearse(machine, examples=400, steps=60)
