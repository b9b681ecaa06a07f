"""Backups of a server that is busy: each is of one moment, and the server goes on.

Imports aura_aio.backup and places, and `tests.serving`.
"""

import asyncio
import sqlite3
import tarfile
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from aura_aio.backup import DATABASE, back_up
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.places import Places
from tests.serving import Served, serving
from tests.waiting import until

RUN = {"plan_name": "hello", "task_name": "greet", "inputs": {"name": "Ada"}}
BATCH = {"tasks": [RUN] * 50, "atomic": True}


async def submit_all_the_time(server: Served, acknowledged: list[str]) -> None:
    """Batches, one after the other; none may fail."""
    while True:
        answer = await server.post("/api/tasks/batch", BATCH)
        assert answer.status == 202, answer.body
        acknowledged += [each["cid"] for each in answer.json["items"]]


def more_than(count: int, acknowledged: list[str]) -> bool:
    """Whether something was acknowledged since there were `count`."""
    return len(acknowledged) > count


def kept(file: Path, folder: Path) -> set[str]:
    """The cids of the runs in a backup, whose figures must fit."""
    with tarfile.open(file) as archive:
        archive.extract(DATABASE, folder, filter="data")
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        cids = {cid for (cid,) in database.execute("SELECT cid FROM runs")}
        counted = database.execute("SELECT SUM(n) FROM state_counts").fetchone()
        queued = database.execute("SELECT SUM(n) FROM queue_counts").fetchone()
    assert (counted, queued) == ((len(cids),), (len(cids),))
    assert len(cids) % 50 == 0, "half a batch"
    return cids


@pytest.mark.alone  # PostgreSQL has its own backups
async def test_a_backup_holds_what_was_acknowledged_before_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    places = Places(data, data / "aura.db", ())
    acknowledged: list[str] = []
    async with serving(data_dir=str(data), workers=0, start=False) as server:
        clients = CoroutineTasks()
        for _ in range(4):
            clients.spawn(submit_all_the_time(server, acknowledged))
        for number in range(3):
            await until(partial(more_than, len(acknowledged), acknowledged))
            before = set(acknowledged)
            file = tmp_path / f"{number}.tar"
            await asyncio.to_thread(back_up, places, file)
            found = await asyncio.to_thread(kept, file, tmp_path)
            assert before <= found
        await clients.aclose()
