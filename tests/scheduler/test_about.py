"""What a start does with the runs that the end of the server before has cut off.

Imports pytest, aura_aio's model and scheduler, and the store of tests/store.
"""

import logging
from functools import partial
from pathlib import Path

import pytest

from aura_aio.model.run import CancelRequest, OnCrash
from aura_aio.scheduler import about
from aura_aio.scheduler.about import Recovered, Recovery, recover
from aura_aio.store.sqlite import open_sqlite
from tests.store.opened import Opened


async def test_a_start_says_what_it_has_done_with_which_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(about, "MOST_NAMED", 2)
    opened = Opened(partial(open_sqlite, tmp_path / "aura.db"))
    await opened.open()
    resumed = [await opened.start(on_crash=OnCrash.RESUME) for _ in range(3)]
    restarted = await opened.start(on_crash=OnCrash.RESTART)
    failed = await opened.start(on_crash=OnCrash.FAIL)
    cancelled = await opened.start(on_crash=OnCrash.RESUME)
    await opened.store.runs.request_cancel(cancelled, CancelRequest(0.0))
    await opened.reopen()
    with caplog.at_level(logging.INFO, "aura.scheduler.about"):
        assert await recover(opened.store.runs, opened.clock) == Recovery(
            at=opened.clock.now(),
            duration_sec=0.0,
            resumed=Recovered(3, tuple(resumed[:2])),
            restarted=Recovered(1, (restarted,)),
            failed=Recovered(1, (failed,)),
            cancelled=Recovered(1, (cancelled,)),
        )
    (told,) = map(vars, caplog.records)
    assert (told["requeued"], told["failed"], told["cancelled"]) == (4, 1, 1)
    await opened.close()
