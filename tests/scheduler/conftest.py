"""A bench for what starts runs by itself, a site for plans, and a Scheduler as a whole.

Imports pytest, `bench`, `plan_site`, `subject` and `whole`.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.scheduler.bench import START, STEP, Bench, TurnedClock
from tests.scheduler.plan_site import TITLED, Site
from tests.scheduler.subject import Subject, load
from tests.scheduler.whole import SITE, Whole, Workers


class MakeBench(Protocol):
    """Makes the bench of a test."""

    def __call__(self, clock: TurnedClock | None = None, **settings: Any) -> Bench:
        """A bench that is not open yet, so that its plan can be written; closed with the test."""
        ...


@pytest.fixture
async def make_bench(tmp_path: Path) -> AsyncIterator[MakeBench]:
    """Benches that are closed at the end of the test."""
    async with AsyncExitStack() as stack:

        def make(clock: TurnedClock | None = None, **settings: Any) -> Bench:
            bench = Bench(tmp_path, clock, **settings)
            stack.push_async_callback(bench.close)
            return bench

        yield make


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The plans `p` and `q`, loaded."""
    plans, vault = await load(tmp_path, {"q/t": STEP, "p/t": TITLED % "old", "p/a": STEP})
    subject = Subject(tmp_path, plans, vault, TurnedClock())
    await subject.open()
    site = Site(tmp_path, plans, subject)
    yield site
    await site.hot_reload.aclose()
    await subject.close()


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[Whole]:
    """The Scheduler of the plan `p`."""
    plans, vault = await load(tmp_path, {"p/t": STEP, "p/s": SITE})
    clock, workers = TurnedClock(START - 3), Workers()
    clock.turn(3)
    subject = Subject(tmp_path, plans, vault, clock)
    subject.hands = workers
    await subject.open()
    whole = Whole(subject, workers, plans, clock)
    yield whole
    await whole.system.aclose()
    await whole.hub.aclose()
    await subject.close()
