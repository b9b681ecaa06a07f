"""Tasks that events start: once for each event, over restarts, and not for ever.

Imports pytest, aura_aio's scheduler and model, and `bench`.
"""

import logging
from typing import Any

import pytest

from aura_aio.model.fleet import Leadership
from aura_aio.model.origin import FromEvent, decode_origin
from aura_aio.model.run import CancelRequest
from aura_aio.model.schedule_store import KeptEvent
from aura_aio.model.states import RunEvent, RunState
from aura_aio.scheduler.admission import RunRequest
from aura_aio.scheduler.event_runs import EventRuns
from tests.scheduler.bench import STEP, Bench
from tests.scheduler.conftest import MakeBench
from tests.waiting import turns, until


def on(*events: str) -> str:
    """A task that waits for these events: `task: first, status: failed`."""
    return (
        "on:\n" + "\n".join(f"- {{event: run.finished, {each}}}" for each in events) + f"\n{STEP}"
    )


async def planned(make_bench: MakeBench, tasks: dict[str, str], **settings: Any) -> Bench:
    """An open bench whose plan has these tasks."""
    bench = make_bench(**settings)
    bench.write({f"tasks/{name}.yaml": text for name, text in tasks.items()})
    await bench.open()
    return bench


async def run(bench: Bench, task: str, depth: int = 0) -> str:
    """Queue a run; its cid."""
    admitted = bench.admission.admit(RunRequest(plan_name="p", task_name=task), depth=depth)
    await bench.store.runs.enqueue((admitted.tasklet,), (admitted.definition,))
    return admitted.tasklet.cid


async def answered(bench: Bench) -> None:
    """Return when no event waits."""

    async def none_left() -> bool:
        return not await bench.store.events.kept(1)

    await until(none_left)
    assert bench.triggers.alive


async def test_the_end_of_a_run_starts_the_task_that_waits_for_it(make_bench: MakeBench) -> None:
    bench = await planned(make_bench, {"first": STEP, "second": on("task: first")})
    cid = await run(bench, "first")
    await bench.end(RunEvent.FAIL)
    await answered(bench)
    assert await bench.after() == [("second", "first", "failed")]
    second = (await bench.runs())[1]
    assert second.depth == 1
    assert decode_origin(second.origin) == FromEvent(
        event="run.finished",
        cid=cid,
        plan_name="p",
        task_name="first",
        status="failed",
        at=bench.clock.now(),
    )
    await bench.end()
    await answered(bench)
    assert len(await bench.runs()) == 2


@pytest.mark.parametrize("is_ours", [True, False])
async def test_what_an_event_starts_stands_in_the_log_of_who_has_answered_it(
    is_ours: bool,
    make_bench: MakeBench,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "aura.scheduler")
    bench = await planned(make_bench, {"first": STEP, "second": on("task: first")})
    answer = bench.store.events.answer

    async def answered_by(*values: Any) -> bool:
        await answer(*values)
        return is_ours

    monkeypatch.setattr(bench.store.events, "answer", answered_by)
    first = await run(bench, "first")
    await bench.end()
    await answered(bench)
    told = [vars(each) for each in caplog.records if each.message == "an event starts a run"]
    started = [run.cid for run in (await bench.runs())[1:]]
    assert [(each["cid"], each["after"]) for each in told] == [
        (cid, first) for cid in started if is_ours
    ]
    assert len(started) == 1


async def test_who_begins_to_lead_answers_what_is_kept(make_bench: MakeBench) -> None:
    bench = await planned(make_bench, {"first": STEP, "second": on("task: first")})
    await bench.event_runs.aclose()
    leadership = Leadership(leads=False)
    event_runs = EventRuns(
        bench.store.events,
        bench.admission,
        bench.plans.catalog,
        bench.clock,
        depth_limit=5,
        leadership=leadership,
    )
    event_runs.listen()
    event_runs.start()
    await run(bench, "first")
    await bench.end()
    await turns(20)
    assert len(await bench.store.events.kept(2)) == 1
    leadership.set(leads=True)
    await answered(bench)
    assert await bench.after() == [("second", "first", "succeeded")]
    await event_runs.aclose()


async def test_events_are_looked_for_when_a_run_has_ended(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await planned(make_bench, {"first": STEP, "second": on("task: first")})
    looks, kept = [], bench.store.events.kept

    async def counted(limit: int) -> tuple[KeptEvent, ...]:
        looks.append(limit)
        return await kept(limit)

    monkeypatch.setattr(bench.store.events, "kept", counted)
    await run(bench, "first")
    (tasklet,) = await bench.store.queue.claim(["w1"])
    await turns(20)
    assert looks == []
    await bench.finish(tasklet)
    await until(lambda: looks)


async def test_only_the_ends_that_are_meant_start_a_task(make_bench: MakeBench) -> None:
    bench = await planned(
        make_bench,
        {
            "first": STEP,
            "other": STEP,
            "on_failure": on("task: first, status: failed|timed_out"),
            "on_cancel": on("status: cancelled"),
        },
    )
    await run(bench, "first")
    await bench.end()
    await run(bench, "other")
    await bench.end(RunEvent.FAIL)
    await answered(bench)
    assert await bench.after() == []
    await run(bench, "first")
    await bench.end(RunEvent.TIME_OUT)
    await answered(bench)
    assert await bench.after() == [("on_failure", "first", "timed_out")]
    await bench.end()
    cid = await run(bench, "other")
    await bench.store.runs.request_cancel(cid, CancelRequest(0.0))
    await answered(bench)
    assert (await bench.after())[1:] == [("on_cancel", "other", "cancelled")]


async def test_an_event_that_was_kept_is_answered_after_a_restart(make_bench: MakeBench) -> None:
    """The server dies between the end of one run and the start of the next."""
    bench = await planned(make_bench, {"first": STEP, "second": on("task: first")})
    await bench.triggers.aclose()
    await run(bench, "first")
    await bench.end()
    assert await bench.after() == []
    assert len(await bench.store.events.kept(10)) == 1
    await bench.close()
    await bench.open()
    await answered(bench)
    assert await bench.after() == [("second", "first", "succeeded")]
    await bench.close()
    await bench.open()
    await answered(bench)
    assert len(await bench.after()) == 1


async def test_a_run_that_was_lost_with_the_server_is_an_event_too(make_bench: MakeBench) -> None:
    bench = await planned(make_bench, {"first": STEP, "second": on("task: first")})
    await run(bench, "first")
    await bench.store.queue.claim(["w1"])
    await bench.close()
    await bench.open()
    await answered(bench)
    assert await bench.after() == [("second", "first", "failed")]


async def test_tasks_that_start_each_other_come_to_an_end(
    make_bench: MakeBench, caplog: pytest.LogCaptureFixture
) -> None:
    bench = await planned(make_bench, {"a": on("task: b"), "b": on("task: a")}, event_depth=4)
    await run(bench, "a")
    with caplog.at_level(logging.ERROR, "aura"):
        for _ in range(5):
            await bench.end()
            await answered(bench)
    assert [run.task_name for run in await bench.runs()] == ["a", "b", "a", "b", "a"]
    assert [run.depth for run in await bench.runs()] == [0, 1, 2, 3, 4]
    assert [vars(record)["action"] for record in caplog.records] == ["event_too_deep"]
    assert "ring" in caplog.text


async def test_of_each_task_that_is_not_started_any_more_it_is_said(
    make_bench: MakeBench, caplog: pytest.LogCaptureFixture
) -> None:
    plan = {"a": on("task: z"), "b": on("task: z"), "z": STEP}
    bench = await planned(make_bench, plan, event_depth=1)
    cid = await run(bench, "z", depth=1)
    with caplog.at_level(logging.ERROR, "aura"):
        await bench.end()
        await answered(bench)
    told = [vars(record) for record in caplog.records]
    assert {(each["task"], each["after"], each["depth"]) for each in told} == {
        ("p/a", cid, 1),
        ("p/b", cid, 1),
    }


async def test_a_task_is_started_once_by_an_event_and_never_by_its_own(
    make_bench: MakeBench,
) -> None:
    bench = await planned(
        make_bench, {"first": STEP, "second": on("plan: '*'", "task: first", "status: succeeded")}
    )
    await run(bench, "first")
    await bench.end()
    await answered(bench)
    assert await bench.after() == [("second", "first", "succeeded")]
    await bench.end()
    await answered(bench)
    assert len(await bench.runs()) == 2


async def test_the_first_entry_that_fits_gives_the_inputs(make_bench: MakeBench) -> None:
    events = on("status: failed, inputs: {how: badly}", "task: first, inputs: {how: well}")
    second = f"meta: {{inputs: [{{name: how}}]}}\n{events}"
    bench = await planned(make_bench, {"first": STEP, "second": second})
    for event in (RunEvent.FAIL, RunEvent.SUCCEED):
        await run(bench, "first")
        await bench.end(event)
        await answered(bench)
        await bench.end()
    inputs = [each.inputs for each in await bench.runs() if each.task_name == "second"]
    assert inputs == [b'{"how":"badly"}', b'{"how":"well"}']


async def test_every_task_that_waits_is_started(make_bench: MakeBench) -> None:
    bench = await planned(
        make_bench,
        {"first": STEP, **{f"t{number}": on("task: first") for number in range(3)}},
    )
    await run(bench, "first")
    await bench.end()
    await answered(bench)
    assert sorted(task for task, *_ in await bench.after()) == ["t0", "t1", "t2"]


async def test_a_task_by_its_short_name_is_the_same(make_bench: MakeBench) -> None:
    bench = await planned(
        make_bench,
        {
            "first": f"first: {{{STEP}}}",
            "second": on("task: first"),
            "third": on("task: 'tasks:first.yaml:first'"),
        },
    )
    await run(bench, "first")
    await bench.end()
    await answered(bench)
    assert sorted(await bench.after()) == [
        ("second", "first/first", "succeeded"),
        ("third", "first/first", "succeeded"),
    ]


async def test_a_reload_changes_who_waits(make_bench: MakeBench) -> None:
    bench = await planned(make_bench, {"first": STEP, "second": STEP})
    await run(bench, "first")
    await bench.end()
    bench.write({"tasks/second.yaml": on("task: first")})
    await bench.reload()
    await run(bench, "first")
    await bench.end()
    await answered(bench)
    assert len(await bench.after()) == 1
    await bench.end()
    bench.write({"tasks/second.yaml": STEP})
    await bench.reload()
    await run(bench, "first")
    await bench.end()
    await answered(bench)
    assert len(await bench.after()) == 1


async def test_what_there_is_not_keeps_a_task_from_no_other_event(make_bench: MakeBench) -> None:
    bench = await planned(make_bench, {"first": STEP, "second": STEP})
    bench.write({"tasks/second.yaml": on("task: third", "task: first")})
    await bench.reload()
    assert len(bench.plans.get("p").errors) == 1
    await run(bench, "first")
    await bench.end()
    await answered(bench)
    assert await bench.after() == [("second", "first", "succeeded")]


async def test_a_full_queue_makes_an_event_wait(make_bench: MakeBench) -> None:
    bench = await planned(make_bench, {"first": STEP, "second": on("task: first")}, queue_limit=1)
    await run(bench, "first")
    (tasklet,) = await bench.store.queue.claim(["w1"])
    await run(bench, "second")
    sleepers = bench.clock.sleepers
    await bench.finish(tasklet)
    await until(lambda: bench.clock.sleepers > sleepers)
    assert len(await bench.store.events.kept(10)) == 1
    await bench.end()
    bench.clock.turn(5)
    await answered(bench)
    assert (await bench.runs())[-1].state is RunState.QUEUED
    assert await bench.after() == [("second", "first", "succeeded")]
