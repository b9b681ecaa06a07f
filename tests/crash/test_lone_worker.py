"""A worker whose link has ended ends, whatever its actions do.

Imports aura_aio's catalog, dispatch, model and worker, and the tests' own parts.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aura_aio.catalog.catalog import Catalog, load_catalog
from aura_aio.dispatch.processes import WorkerProcess
from aura_aio.dispatch.sizing import actions_of
from aura_aio.model.plan import Definition
from aura_aio.model.run import Tasklet
from aura_aio.processes.tree import StartProcess
from aura_aio.worker.frames import Launch, Welcome
from aura_aio.worker.link import Link
from tests.forking import STARTERS
from tests.serving import write_plan
from tests.waiting import until

_ACTIONS = '''"""Actions that do not end."""

import asyncio
import threading
from pathlib import Path

from aura_aio import action

HERE = Path(__file__).parent
NEVER = threading.Event()


@action
def in_thread():
    (HERE / "begun").touch()
    NEVER.wait()


@action
async def in_thread_of_asyncio():
    (HERE / "begun").touch()
    await asyncio.to_thread(NEVER.wait)


@action
async def deaf():
    (HERE / "begun").touch()
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass


@action
async def on_loop():
    (HERE / "begun").touch()
    while True:
        pass


@action
def in_thread_of_its_own():
    thread = threading.Thread(target=NEVER.wait)
    thread.start()
    (HERE / "begun").touch()
    thread.join()
'''
_STUCK = '''"""A module that is never imported."""

import threading
from pathlib import Path

from aura_aio import action

(Path(__file__).parent / "begun").touch()
threading.Event().wait()


@action
def never():
    pass
'''
SIGN = "that of the test"
NAMES = ("in_thread", "in_thread_of_asyncio", "in_thread_of_its_own", "deaf", "on_loop")


@asynccontextmanager
async def worker(
    catalog: Catalog, data_dir: Path, start: StartProcess
) -> AsyncIterator[tuple[WorkerProcess, Link]]:
    """A worker process, made by `start`, and its link, which is cut at the end."""
    links: asyncio.Queue[Link] = asyncio.Queue()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(reader, writer)
        hello = await link.hello()
        assert hello is not None
        assert hello.secret == SIGN
        await links.put(link)

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        launch = Launch(port=port, secret=SIGN, memory_bytes=0)
        process = await WorkerProcess.start(launch, start)
        try:
            link = await links.get()
            link.welcome(
                Welcome(
                    worker="worker-1",
                    slots=1,
                    data_dir=str(data_dir),
                    log_credit=100,
                    stall_sec=0.5,
                    allow_shell=False,
                    plans=actions_of(catalog.plans.values()),
                    secrets={},
                )
            )
            yield process, link
        finally:
            process.kill()


@pytest.mark.parametrize("starter", STARTERS)
@pytest.mark.parametrize("name", [*NAMES, "import"])
async def test_it_ends_with_the_link(
    tmp_path: Path, name: str, starter: Callable[[], StartProcess]
) -> None:
    step = "never" if name == "import" else name
    folder = write_plan(
        tmp_path / "plans",
        "endless",
        {"t": f"steps: {{it: {{action: {step}}}}}\n"},
        _STUCK if name == "import" else _ACTIONS,
    )
    catalog = await asyncio.to_thread(load_catalog, [tmp_path / "plans"])
    definition = Definition.of(catalog.task("endless", "t").task)
    async with worker(catalog, tmp_path, starter()) as (process, link):
        tasklet = Tasklet("c", "endless", "t", definition.digest, accepted_at=0.0)
        link.start(tasklet, definition)
        await until((folder / "begun").exists, within=20)
        assert not process.ended.done()
        await link.aclose()
        await asyncio.wait_for(process.ended, 20)
