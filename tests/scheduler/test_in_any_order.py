"""Everything that can happen to runs, in any order: Scheduler and Store against `queue_model`.

Imports Hypothesis, pytest, aura_aio.model and the rest of tests/scheduler.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test
from msgspec.structs import replace

from aura_aio.model.errors import RunFinished, RunNotFound
from aura_aio.model.ports import RunFilter
from aura_aio.model.states import CANCELLABLE, RunEvent, RunState
from aura_aio.scheduler.retries import RetryRequest
from tests.scheduler.asking import Asking, nothing, of
from tests.scheduler.comparing import Loaded, Pair
from tests.scheduler.modelled import Asked, Call, Key, Kind
from tests.scheduler.strategies import (
    KINDS,
    MISSPELT,
    asked,
    calls,
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

MANY = 4  # so many are queued that something is left to happen when the queue is emptied


class InAnyOrder(Asking):
    """One server's life, and the model's. After each rule all that can be seen is compared."""

    @initialize(first=st.lists(asked, min_size=2, max_size=6), most=st.integers(0, 4))
    def begin(self, first: list[tuple[Kind, int, float | None]], most: int) -> None:
        """With some runs, a few under way: from an empty queue seldom anything comes about."""
        self.runner.run(self.subject.open())
        for each in first:
            self.submit(each, None)
        if most:
            self.claim(most, None)

    # --- Runs come

    @rule(asked=asked, key=keys)
    def submit(self, asked: tuple[Kind, int, float | None], key: Key | None) -> None:
        """One run."""
        self.same(
            lambda: self.subject.runs.submit(self.request(asked), self.key("run", key)),
            lambda cids: self.model.accept([self.asked(asked)], of("run", key), cids),
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
            lambda cids: self.model.accept([*map(self.asked, asked)], of("batch", key), cids),
            lambda batch: [item.cid for item in batch.items if item.cid is not None],
        )

    @rule(asked=asked, index=positions, key=keys)
    def insert(self, asked: tuple[Kind, int, float | None], index: int, key: Key | None) -> None:
        """One run in its place."""

        def modelled(cids: Iterator[str]) -> list[str]:
            known = set(self.model.runs)
            (cid,) = self.model.accept([self.asked(asked)], of("insert", key), cids)
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
            asked = Asked(run.kind, run.priority, None, cid, depth=run.depth)
            return [*self.model.accept([asked], None, cids)]

        self.same(
            lambda: self.subject.runs.retry(cid, RetryRequest()),
            modelled,
            lambda retry: [retry.cid],
        )

    @precondition(lambda self: self.model.active())
    @rule(place=places, several=st.lists(calls, min_size=1, max_size=3))
    def start_children(self, place: int, several: list[tuple[Kind, str, int | None]]) -> None:
        """An attempt, mostly one that goes on, has child runs, or asks for them again."""
        attempt = self.under_way(place)
        for kind, step, turn in several:
            call = Call(*attempt, kind, step, turn)
            self.same(
                partial(self.subject.start_child, call),
                partial(self.model.start_children, [call]),
                lambda cid: [cid],
            )

    @precondition(lambda self: any(run.parent_cid for run in self.model.runs.values()))
    @rule(place=places)
    def drop_child(self, place: int) -> None:
        """Nobody waits for it any more, if it is there at all."""
        cid, request = self.cid(place), self.cancel_request("graceful")
        with suppress(RunFinished, RunNotFound):
            self.model.cancel(cid, replace(request, reason="No."))
        self.runner.run(self.subject.children.cancel(cid, reason="No."))
        self.compare()

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

    @precondition(lambda self: self.attempts)
    @rule(data=st.lists(st.tuples(places, ends), min_size=1, max_size=3))
    def finish(self, data: list[tuple[int, RunEvent]]) -> None:
        """Attempts end, of now and of before."""
        outcomes = [self.outcome(place, event) for place, event in data]
        self.same(
            lambda: self.subject.store.runs.finish(outcomes),
            lambda _: self.model.finish(outcomes),
            list,
        )

    @precondition(lambda self: self.attempts)
    @rule(data=st.lists(places, min_size=1, max_size=3), retry=st.sampled_from([True, True, False]))
    def lose(self, data: list[int], retry: bool) -> None:
        """Workers are gone."""
        attempts = [self.attempt(place) for place in data]
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

    @precondition(lambda self: self.attempts)
    @rule(place=places, event=ends, cancel_first=st.booleans())
    def cancel_while_it_ends(self, place: int, event: RunEvent, cancel_first: bool) -> None:
        """Both at once, in one transaction or in two."""
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

    @precondition(lambda self: len(self.model.queued()) >= MANY)
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

    @precondition(lambda self: len(self.model.queued()) >= MANY)
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
            nothing,
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
            nothing,
        )

    @rule(data=st.lists(places, max_size=4))
    def reorder(self, data: list[int]) -> None:
        """Some go first; one may be named twice, or not be queued."""
        cids = [*map(self.cid, data)]
        self.same(
            lambda: self.subject.queue.reorder_queue(cids),
            lambda _: self.model.reorder(cids),
            nothing,
        )

    @rule(place=places, delay=st.sampled_from([-9.0, 0.0, 5.0, 60.0]))
    def set_run_at(self, place: int, delay: float) -> None:
        """Later, or now."""
        cid, run_at = self.cid(place), self.clock.now() + delay
        self.same(
            lambda: self.subject.queue.set_run_at(cid, run_at, None),
            lambda _: self.model.set_run_at(cid, run_at),
            nothing,
        )

    @rule(plan_name=plan_names, again=st.booleans())
    def pause(self, plan_name: str | None, again: bool) -> None:
        """Nothing starts, of a plan or at all; or not any more. Either may be so already."""
        name = plan_name or ""
        if (name in self.model.pauses) is again:
            self.runner.run(self.subject.queue.pause_queue(plan_name))
            self.model.pauses.setdefault(name, self.clock.now())
        else:
            self.runner.run(self.subject.queue.resume_queue(plan_name))
            self.model.pauses.pop(name, None)
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
