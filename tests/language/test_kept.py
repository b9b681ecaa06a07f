"""What runs of the cases report, kept in a store and read from it again: it is what must come of
them, whichever database the store is in.

All cases with `--backend`; without it a few on PostgreSQL. Imports pytest, aura_aio.model, the
harness of the engine's tests and the stores of tests/store.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from aura_aio.model.log import LogFilter
from aura_aio.model.plan import Definition
from aura_aio.model.run import Outcome
from aura_aio.model.states import RunEvent, RunState
from tests.backends import DATABASES
from tests.engine.harness import Bench, Journal
from tests.language.reading import RUNS, check_outcome, check_steps, envelope_of, name_of, read
from tests.postgres_server import clean_database
from tests.store.opened import Opened
from tests.store.postgres.at import postgres_at
from tests.store.sqlite.at import sqlite_at

FEW = {
    "actions/context",
    "loops/for_each_dict",
    "results/kinds",
    "results/not_json",
    "results/returns",
    "retry/result",
    "secrets/masked",
    "state/copy",
    "state/key",
}
EVENTS = {
    RunState.SUCCEEDED: RunEvent.SUCCEED,
    RunState.FAILED: RunEvent.FAIL,
    RunState.TIMED_OUT: RunEvent.TIME_OUT,
}
KEPT = [path for path in RUNS if "rejected" not in read(path)["outcome"]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the cases, and where they are kept."""
    wanted = metafunc.config.getoption("--backend")
    paths = [path for path in KEPT if wanted is not None or name_of(path) in FEW]
    metafunc.parametrize("case", paths, ids=name_of, indirect=True)
    metafunc.parametrize("backend", [wanted or "postgres"])


@pytest.fixture
async def opened(backend: str, tmp_path: Path) -> AsyncIterator[Opened]:
    """A store with nothing in it."""
    assert DATABASES.on_postgres == (backend == "postgres")
    at = sqlite_at(tmp_path / "aura.db") if backend == "sqlite" else postgres_at(clean_database())
    opened = Opened(at)
    await opened.open()
    yield opened
    await opened.close()


async def test_what_is_reported_is_kept_as_it_is(
    case: dict[str, Any], table: Bench, opened: Opened
) -> None:
    call, inputs = case.get("call", "t"), case.get("inputs")
    outcome = await table.run(call, inputs, **envelope_of(case))
    tasklet = opened.tasklet(cid=outcome.cid, plan_name="case", task_name="t")
    await opened.store.runs.enqueue((tasklet,), (Definition(tasklet.definition_digest, b"{}"),))
    assert await opened.claim() == [outcome.cid]
    await opened.store.runs.record_steps(table.journal.records)
    await opened.store.logs.append(table.journal.lines)
    await opened.store.runs.finish((outcome,))
    check_outcome(case["outcome"], await kept_outcome(opened, outcome))
    check_steps(case["outcome"], await kept_journal(opened, outcome.cid, case, table.journal))


async def kept_outcome(opened: Opened, outcome: Outcome) -> Outcome:
    """What the store says of the end of a run."""
    run = await opened.run(outcome.cid)
    assert run.finished_at == outcome.finished_at
    return replace(outcome, event=EVENTS[run.state], result=run.result, error=run.error)


async def kept_journal(
    opened: Opened, cid: str, case: dict[str, Any], reported: Journal
) -> Journal:
    """What it says of steps and log, and of the state of the plan in the place of its changes."""
    journal = Journal()
    state = await next_state(opened)
    changed = {key: state.get(key) for key in reported.kept()}
    journal.records = [
        replace(record, state={key: msgspec.json.encode(value) for key, value in changed.items()})
        for record in await opened.store.runs.steps(cid)
    ]
    entries = await opened.store.logs.read(LogFilter(cid=cid), after=0, up_to=None, limit=1000)
    journal.lines = [entry.line for entry in entries]
    assert len(journal.lines) == len(reported.lines)
    return journal


async def next_state(opened: Opened) -> dict[str, Any]:
    """What the next run of the plan begins with."""
    await opened.enqueue(plan_name="case")
    (tasklet,) = await opened.store.queue.claim(["w1"])
    return {} if tasklet.state is None else dict(msgspec.json.decode(tasklet.state))
