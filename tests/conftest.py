"""Fixtures that every test gets.

Imports pytest, Hypothesis, blockbuster and the public surface of aura_aio.
"""

import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from blockbuster import BlockBuster
from hypothesis import HealthCheck, Phase, settings

from tests.backends import DATABASES, place_of
from tests.serving import Served, serving

# A busy machine is no fault of what is tested: how long an example takes is not asserted.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# For scripts/mutate.py: the same for each mutant, and what fails has done its work.
settings.register_profile(
    "mutation", derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
)

_LONGEST = (
    "tests/campaign/",
    "tests/contract/test_schemathesis.py",
    "tests/packaging/",
    "tests/sdks/",
)


class MakeServer(Protocol):
    """Starts a server for the test, and ends it with the test."""

    def __call__(self, **settings: Any) -> Awaitable[Served]:
        """A server with these settings; the same `data_dir` again is a restart."""
        ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--backend`: on which database the tests of the store, and their servers, run; and
    `--dispatcher`.
    """
    parser.addoption(
        "--backend",
        choices=["sqlite", "postgres"],
        help="the tests of the store, and servers that tests start, on this one alone; without it "
        "all on SQLite, and some on PostgreSQL: see CONTRIBUTING",
    )
    parser.addoption(
        "--dispatcher",
        choices=["local", "procrastinate"],
        default="local",
        help="how runs get to the servers that tests start on PostgreSQL",
    )


def pytest_collection() -> None:
    """Collect no garbage while tests are collected: nearly all that is made stays."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Keep the tests themselves, and all that they import, out of every garbage collection: with
    thousands of them a full one takes more than a second.
    """
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)  # what a test leaves is thrown away in larger portions


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process is left alone with it at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Choose where the servers of the test have their databases."""
    on_postgres, dispatcher = place_of(item)
    if on_postgres and item.get_closest_marker("alone"):
        pytest.skip("it is so where one server has its database alone")
    DATABASES.begin_test(on_postgres=on_postgres, dispatcher=dispatcher)


@pytest.fixture(scope="session")
def detector() -> BlockBuster:
    """What finds blocking calls; made once, as to make it takes longer than to put it to work."""
    return BlockBuster("aura_aio")


@pytest.fixture(autouse=True)
def blockbuster(detector: BlockBuster) -> Iterator[BlockBuster]:
    """Fail the test when code of aura_aio makes a blocking call on an event loop."""
    detector.activate()
    try:
        yield detector
    finally:
        detector.deactivate()


@pytest.fixture
async def make_server(tmp_path: Path) -> AsyncIterator[MakeServer]:
    """Servers on real ports, each with a folder of its own unless `data_dir` is given."""
    async with AsyncExitStack() as stack:
        count = 0

        async def make(**settings: Any) -> Served:
            nonlocal count
            count += 1
            settings.setdefault("data_dir", str(tmp_path / f"data-{count}"))
            return await stack.enter_async_context(serving(**settings))

        yield make


@pytest.fixture
async def server(make_server: Callable[..., Awaitable[Served]]) -> Served:
    """A server with the example plans and one worker process."""
    return await make_server()
