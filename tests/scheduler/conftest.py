"""A bench for what starts runs by itself.

Imports pytest and `bench`.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.scheduler.bench import Bench, TurnedClock


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
