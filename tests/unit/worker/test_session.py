"""A worker's end of the link: what comes in one packet, and what it cannot carry out.

Imports pytest, aura_aio's catalog, dispatch, engine, model and worker, and `tests.serving`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aura_aio.catalog.catalog import load_catalog
from aura_aio.dispatch.processes import InProcessWorker
from aura_aio.dispatch.sizing import actions_of
from aura_aio.engine.runner import Runner
from aura_aio.model.clock import SystemClock
from aura_aio.model.plan import Definition
from aura_aio.model.run import Tasklet
from aura_aio.model.states import RunEvent
from aura_aio.worker.frames import Finished, Heartbeat, ToServer, Welcome
from aura_aio.worker.link import Link
from tests.serving import write_plan

ACTIONS = '''"""Leaves a file when it is imported, and one when it is called."""

from pathlib import Path

from aura_aio import action

(Path(__file__).parent / "imported").touch()


@action
def call() -> None:
    (Path(__file__).parent / "called").touch()
'''


class Bench:
    """A session inside the test, and the server's end of its link."""

    def __init__(self, link: Link, folder: Path, definition: Definition) -> None:
        self.link = link
        self.folder = folder
        self.definition = definition

    def start(self, cid: str, attempt: int = 1, **envelope: Any) -> None:
        """Hand an attempt over."""
        digest = self.definition.digest
        tasklet = Tasklet(cid, "p", "t", digest, accepted_at=0.0, attempt=attempt, **envelope)
        self.link.start(tasklet, self.definition)

    async def said(self, finished: int) -> list[ToServer]:
        """What the worker says until so many attempts have ended, but for heartbeats."""
        frames: list[ToServer] = []
        async with asyncio.timeout(10):
            async for packet in self.link.packets():
                frames += [frame for frame in packet if not isinstance(frame, Heartbeat)]
                if sum(isinstance(frame, Finished) for frame in frames) == finished:
                    return frames
        raise AssertionError("the link has ended")

    def files(self) -> set[str]:
        """What the plan's module has left."""
        return {name for name in ("imported", "called") if (self.folder / name).exists()}


@asynccontextmanager
async def session(root: Path) -> AsyncIterator[Bench]:
    """A session that knows the plan `p`, with one task."""
    folder = write_plan(root, "p", {"t": "steps: {it: {action: call}}\n"}, ACTIONS)
    catalog = await asyncio.to_thread(load_catalog, [root])
    worker, reader, writer = await InProcessWorker.start("", SystemClock())
    link = Link(reader, writer)
    try:
        assert await link.hello() is not None
        link.welcome(
            Welcome(
                worker="worker-1",
                slots=1,
                data_dir=str(root),
                log_credit=100,
                stall_sec=10.0,
                allow_shell=False,
                plans=actions_of(catalog.plans.values()),
                secrets={},
            )
        )
        yield Bench(link, folder, Definition.of(catalog.task("p", "t").task))
    finally:
        await link.aclose()
        await worker.ended


async def test_a_cancel_in_the_packet_of_the_start_is_there_before_anything_has_begun(
    tmp_path: Path,
) -> None:
    async with session(tmp_path) as bench:
        bench.start("c")
        bench.link.cancel("c", 1, 3600)
        (frame,) = await bench.said(1)
        assert isinstance(frame, Finished)
        assert frame.outcome.event is RunEvent.STOPPED
        assert bench.files() == set()
        bench.start("d")
        *_, last = await bench.said(1)
        assert isinstance(last, Finished)
        assert last.outcome.event is RunEvent.SUCCEED
        assert bench.files() == {"imported", "called"}


async def test_a_cancel_of_an_attempt_that_is_not_there_is_of_none(tmp_path: Path) -> None:
    async with session(tmp_path) as bench:
        bench.link.cancel("c", 2, 0)
        bench.start("c", attempt=2)
        bench.link.cancel("c", 1, 0)
        bench.link.cancel("d", 2, 0)
        *_, last = await bench.said(1)
        assert isinstance(last, Finished)
        assert (last.outcome.attempt, last.outcome.event) == (2, RunEvent.SUCCEED)


async def test_a_cancel_reaches_one_of_two_that_start_together(tmp_path: Path) -> None:
    async with session(tmp_path) as bench:
        for cid in "cd":
            bench.start(cid)
        bench.link.cancel("c", 1, 3600)
        frames = await bench.said(2)
        ends = {f.outcome.cid: f.outcome.event for f in frames if isinstance(f, Finished)}
        assert ends == {"c": RunEvent.STOPPED, "d": RunEvent.SUCCEED}


async def test_actions_that_could_not_be_loaded_are_loaded_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("for a moment")

    async with session(tmp_path) as bench:
        with monkeypatch.context() as broken:
            broken.setattr("aura_aio.worker.session.load_actions", fails)
            bench.start("c")
            *_, first = await bench.said(1)
        bench.start("d")
        *_, second = await bench.said(1)
    assert isinstance(first, Finished)
    assert isinstance(second, Finished)
    assert (first.outcome.event, second.outcome.event) == (RunEvent.FAIL, RunEvent.SUCCEED)


async def test_an_attempt_that_cannot_be_made_out_takes_no_other_along(tmp_path: Path) -> None:
    async with session(tmp_path) as bench:
        bench.start("c", inputs=b"{")
        bench.start("d")
        ends = {
            frame.outcome.cid: frame.outcome
            for frame in await bench.said(2)
            if isinstance(frame, Finished)
        }
        assert (ends["c"].event, ends["d"].event) == (RunEvent.FAIL, RunEvent.SUCCEED)
        assert ends["c"].error is not None
        assert ends["c"].error.type == "DecodeError"


async def test_an_attempt_in_which_the_engine_fails_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise LookupError("a mistake of our own")

    async with session(tmp_path) as bench:
        with monkeypatch.context() as patched:
            patched.setattr(Runner, "_take_over", broken)
            bench.start("c")
            (frame,) = await bench.said(1)
        assert isinstance(frame, Finished)
        assert (frame.outcome.event, frame.outcome.cid) == (RunEvent.FAIL, "c")
        assert frame.outcome.error is not None
        assert frame.outcome.error.type == "LookupError"
        assert "mistake" not in frame.outcome.error.message
        bench.start("d")
        *_, last = await bench.said(1)
        assert isinstance(last, Finished)
        assert last.outcome.event is RunEvent.SUCCEED
