"""A store with something of everything in it, and all that can be asked of a store.

Imports aura_aio's model and stores, and the fixtures.
"""

from typing import Any

from msgspec.structs import replace

from aura_aio.model.access import NewToken, Scope, make_token
from aura_aio.model.audit import AuditFilter, AuditOutcome, Note, noting
from aura_aio.model.callback import CallbackTry
from aura_aio.model.event import EventFilter
from aura_aio.model.fleet import Stop
from aura_aio.model.log import LogFilter, LogLevel, LogLine
from aura_aio.model.plan import StepStatus
from aura_aio.model.ports import IdempotencyKey, RunFilter
from aura_aio.model.run import CallRecord, CancelRequest, Limit, OnCrash, RunError, StepRecord
from aura_aio.model.schedule import Schedule, ScheduleState
from aura_aio.model.states import RunEvent
from aura_aio.model.trace import TraceContext
from tests.store.opened import DEFINITION, Opened
from tests.store.test_children import child

KEY = IdempotencyKey("once", "digest-of-the-body", memo=b'{"a":1}')
URL = "https://hooks.example.org/a"
SITE = Limit("mutex:site", 1)


async def fill(opened: Opened) -> None:
    """Runs of all kinds, and all else that a store keeps: a row in each table."""
    store, runs = opened.store, opened.store.runs
    store.events.listen((EventFilter(plan_name="watched"),))
    await opened.end(
        await opened.start(callback_url=URL, sealed=b"\0\xffsealed", labels={"a": "ß"})
    )
    called = await opened.start(callback_url=URL, trace=TraceContext("00-1-2-01", "k=v"))
    await opened.end(called, RunEvent.FAIL)
    await store.callbacks.record(CallbackTry(called, 1, 5.0, 0.25, 500, "It said no.", 99.5))
    await opened.end(await opened.start(plan_name="watched"), RunEvent.TIME_OUT)
    lost = await opened.start(on_crash=OnCrash.RESUME)
    calls = (CallRecord(None, 1, "failed", 4.0, 4.1), CallRecord(7, 2, "success", 4.2, 4.5))
    done = StepRecord(lost, 1, "a", StepStatus.SUCCESS, 4.0, 4.5, 2, b"[1]", calls=calls)
    failed = StepRecord(lost, 1, "b", StepStatus.FAILED, 5.0, error=RunError("KeyError", "no"))
    await runs.record_steps([replace(done, state={"n": b"1"}), failed])
    await runs.lose([(lost, 1)], reason="The worker is gone.")
    parent = await opened.start(limits=(SITE,), priority=50)
    await child(opened, parent)
    going = await opened.start(priority=60)
    await runs.request_cancel(going, CancelRequest(opened.clock.now(), reason="enough"))
    await opened.enqueue_many(3, limits=(SITE,))
    await opened.enqueue(delay_sec=60.5, timeout_sec=1.5, inputs='{"é":"\\u0000"}'.encode())
    await runs.enqueue((opened.tasklet(retry_of=called),), (DEFINITION,), KEY)
    first, second, third = await opened.enqueue_many(3, plan_name="other")
    await store.queue.move_to_front(third)
    await store.queue.move_to_position(first, 2)
    await store.queue.pause("other")
    with noting(Note("cancelTasks", by_name="Ada", remote="::1", request_id="r")):
        request = CancelRequest(opened.clock.now())
        await runs.request_cancel_each((second, lost), request, only_queued=True)
    await store.audit.append(Note("createToken"), AuditOutcome.REFUSED, "forbidden")
    line = LogLine(1.5, LogLevel.ERROR, "task", "ünïcode", called, "hello", data={"n": [1, None]})
    await store.logs.append([line, LogLine(2.5, LogLevel.INFO, "server", "")])
    own = Schedule(
        id="mine", plan_name="hello", task_name="greet", cron="1 2 * * *", inputs={"n": 1.5}
    )
    await store.schedules.put(
        (
            ScheduleState(id="mine", basis="cron", decided_at=7.25, created=own, last_cid=called),
            ScheduleState(id="hello/nightly", basis="every", decided_at=8.0, enabled=False),
        )
    )
    await store.fleet.set_stopped(Stop(cancels=True, ends_at=9.75))
    for name in ("first", "wall"):
        token, _ = make_token(NewToken(scope=Scope.READ, name=name, plans=("b",)), 5.0)
        await store.tokens.add(token)
        await store.tickets.add(f"of {name}", token.grant(), now=1.0, expires_at=61.0)


async def portrait(opened: Opened) -> dict[str, Any]:
    """All that can be asked."""
    store = opened.store
    page = await store.runs.list_runs(
        RunFilter(), limit=1000, cursor=None, include=frozenset({"inputs", "result"})
    )
    cids = [run.cid for run in page.items]
    queued = {
        delayed: await store.queue.list_queue(delayed=delayed, limit=100, cursor=None)
        for delayed in (False, True)
    }
    return {
        "runs": [await store.runs.get(cid) for cid in cids],
        "steps": [await store.runs.steps(cid) for cid in cids],
        "kept steps": [await store.runs.finished_steps(cid) for cid in cids],
        "families": [await store.children.family(cid) for cid in cids],
        "callbacks": [await store.callbacks.of_run(cid) for cid in cids],
        "found": len((await store.runs.list_runs(
            RunFilter(labels=(("a", "ß"),), q="hello"), limit=9, cursor=None, include=frozenset()
        )).items),
        "active": await store.runs.list_active(),
        "definition": await store.runs.definition(DEFINITION.digest),
        "queued": queued,
        "counts": await store.queue.counts(),
        "pauses": await store.queue.pauses(),
        "holders": await store.queue.holders(),
        "due": await store.queue.next_due(),
        "upcoming": await store.callbacks.upcoming(100),
        "log": await store.logs.read(LogFilter(), after=0, up_to=None, limit=1000),
        "bounds": await store.logs.bounds(),
        "schedules": await store.schedules.load(),
        "events": await store.events.kept(100),
        "audit": await store.audit.list_events(AuditFilter(), limit=100, cursor=None),
        "stopped": await store.fleet.stopped(),
        "tokens": await store.tokens.list_tokens(),
    }  # fmt: skip
