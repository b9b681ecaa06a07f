"""Scheduler and Store beside `queue_model`: the same is done to both, and what is seen compared.

Imports Hypothesis, pytest, aura_aio.model and the rest of tests/scheduler.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

import pytest
from hypothesis.stateful import RuleBasedStateMachine
from msgspec.structs import replace

from aura_aio.model.errors import AuraError
from aura_aio.model.ports import RunFilter
from aura_aio.model.run import Run, RunError
from aura_aio.model.sealing import Vault
from aura_aio.scheduler.plans import Plans
from aura_aio.scheduler.queue import QueueEntry
from tests.queue_walk import fits
from tests.scheduler.family_model import FamilyModel
from tests.scheduler.subject import QUEUE_LIMIT, Subject
from tests.store.opened import ManualClock

T = TypeVar("T")


class Loaded(NamedTuple):
    """What all examples share."""

    plans: Plans
    vault: Vault


class Compared(RuleBasedStateMachine):
    """A machine without rules."""

    loaded: Loaded

    def __init__(self) -> None:
        super().__init__()
        self.undo = ExitStack()
        self.runner = self.undo.enter_context(asyncio.Runner())
        folder = self.undo.enter_context(TemporaryDirectory())
        self.clock = ManualClock()
        self.model = FamilyModel(self.clock, QUEUE_LIMIT)
        self.subject = Subject(Path(folder), *self.loaded, self.clock)

    def teardown(self) -> None:
        """Close everything."""
        if hasattr(self.subject, "store"):
            self.runner.run(self.subject.close())
        self.undo.close()

    def same(
        self,
        real: Callable[[], Awaitable[T]],
        modelled: Callable[[Iterator[str]], Any],
        seen: Callable[[T], Any],
    ) -> Any:
        """Do it to both: the same answer, or the same refusal. Answers it, or None."""

        async def done() -> Any:
            return await real()

        answer, refused = None, None
        try:
            answer = seen(self.runner.run(done()))
        except AuraError as error:
            refused = error
        if refused is None:
            assert answer == modelled(iter(answer if isinstance(answer, list) else ()))
        else:
            with pytest.raises(type(refused)) as caught:
                modelled(iter(()))
            assert _says(caught.value) == _says(refused)
        self.compare()
        return answer

    def at_once(self, deeds: Sequence["Pair"]) -> None:
        """Do all of it without waiting in between; refusals count as answers."""

        async def together() -> list[object]:
            return [*await asyncio.gather(*(deed.real() for deed in deeds), return_exceptions=True)]

        answers = self.runner.run(together())
        for deed, answer in zip(deeds, answers, strict=True):
            if isinstance(answer, BaseException):
                with pytest.raises(type(answer)):
                    deed.modelled()
            else:
                deed.modelled()
        # What follows from a deed, follows at the end of its transaction, which may be that of all.
        for facts in (self.subject.facts, self.model.facts):
            facts.sort(key=lambda fact: fact.cid)
        self.compare()

    # --- What is compared

    def compare(self) -> None:
        """All that can be seen."""
        self.runner.run(self._compare())

    async def _compare(self) -> None:
        ready = [entry async for entry in self._queue(delayed=False)]
        delayed = [entry async for entry in self._queue(delayed=True)]
        self.model.join_due()
        assert self.subject.facts == self.model.facts
        self.subject.facts.clear()
        self.model.facts.clear()
        self.model.place([entry.run.cid for entry in ready])
        assert [entry.run.cid for entry in delayed] == [run.cid for run in self.model.delayed()]
        for index, entry in enumerate(ready, 1):
            assert entry.position == index
            assert _codes(entry) == self._codes(entry.run, behind=index > 1)
        for entry in ready[-2:]:
            place = await self.subject.store.queue.position(entry.run)
            assert place.ahead == entry.position - 1
        overview = await self.subject.queue.overview()
        assert overview.counts == self.model.counts()
        assert {**overview.pauses.plans, **_all(overview.pauses.since)} == self.model.pauses
        await self._compare_runs()

    async def _compare_runs(self) -> None:
        page = await self.subject.runs.list(
            RunFilter(), limit=1000, cursor=None, include=frozenset({"result"})
        )
        seen = {run.cid: _promised(run) for run in reversed(page.items)}
        assert list(seen) == list(self.model.runs)
        for cid, run in self.model.runs.items():
            assert seen[cid] == run.seen()

    async def _queue(self, *, delayed: bool) -> AsyncIterator[QueueEntry]:
        cursor = None
        while True:
            page = await self.subject.queue.list(delayed=delayed, limit=4, cursor=cursor)
            for entry in page.items:
                yield entry
            cursor = page.next_cursor
            if cursor is None:
                return

    def _codes(self, run: Run, *, behind: bool) -> set[str]:
        """Why a ready run does not run."""
        held = [each.kind.limits for each in self.model.active()]
        codes = {
            {"mutex:site": "mutex", "resource:api": "resource"}[limit.key]
            for limit in self.model.runs[run.cid].kind.limits
            if not fits((limit,), held)
        }
        if {"", run.plan_name} & set(self.model.pauses):
            codes.add("paused")
        return codes | ({"behind"} if behind else set())


class Pair(NamedTuple):
    """The same deed, done really and in the model."""

    real: Callable[[], Awaitable[Any]]
    modelled: Callable[[], object]


def _says(error: BaseException) -> tuple[object, ...]:
    """What of an error clients go by."""
    faults = getattr(error, "faults", ())
    return getattr(error, "state", None), [place for place, _ in faults]


def _codes(entry: QueueEntry) -> set[str]:
    return {reason.code for reason in entry.waiting.reasons}


def _all(since: float | None) -> dict[str, float]:
    return {} if since is None else {"": since}


def _promised(run: Run) -> Run:
    error = None if run.error is None else RunError(run.error.type, "")
    cancel = run.cancel
    if cancel is not None and run.parent_cid is not None:
        words = f"Its parent {run.parent_cid}"
        if cancel.reason is not None and cancel.reason.startswith(words):
            cancel = replace(cancel, reason=words)
    run = replace(run, cancel=cancel, error=error, origin=None, inputs=None, sealed=None)
    return replace(run, rank=0, arrival="", definition_digest="", plan_digest="")
