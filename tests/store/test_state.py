"""What plans keep between their runs: changed with a step, handed out with a claim.

Imports aura_aio.model and the fixtures.
"""

import json
from typing import Any

from aura_aio.model.plan import StepStatus
from aura_aio.model.run import CancelRequest, OnCrash, StepRecord
from tests.store.opened import Opened


def record(cid: str, changes: dict[str, Any], *, step: str = "a", attempt: int = 1) -> StepRecord:
    """A step that succeeded; `...` in place of a value deletes the key."""
    return StepRecord(
        cid,
        attempt,
        step,
        StepStatus.SUCCESS.value,
        state={
            key: None if value is ... else json.dumps(value).encode()
            for key, value in changes.items()
        },
    )


async def kept(opened: Opened, plan_name: str = "hello") -> Any:
    """What the next run of the plan is claimed with."""
    await opened.enqueue(plan_name=plan_name)
    (tasklet,) = await opened.store.queue.claim(["w1"])
    return None if tasklet.state is None else json.loads(tasklet.state)


async def test_a_plan_that_keeps_nothing_hands_out_nothing(opened: Opened) -> None:
    cid = await opened.start()
    await opened.store.runs.record_steps((record(cid, {}),))
    assert await kept(opened) is None


async def test_what_a_step_keeps_comes_with_the_next_claim_of_its_plan(opened: Opened) -> None:
    cid = await opened.start()
    await opened.store.runs.record_steps((record(cid, {"n": 1, "list": [1, None]}),))
    assert await kept(opened) == {"n": 1, "list": [1, None]}
    assert await kept(opened, "other") is None
    assert (await opened.store.runs.steps(cid))[0].status == "success"


async def test_a_key_is_replaced_or_deleted_alone(opened: Opened) -> None:
    cid = await opened.start()
    await opened.store.runs.record_steps((record(cid, {"a": 1, "b": 1, "c": 1}),))
    await opened.store.runs.record_steps((record(cid, {"b": None, "c": ..., "d": ...}, step="b"),))
    assert await kept(opened) == {"a": 1, "b": None}
    await opened.store.runs.record_steps((record(cid, {"a": ..., "b": ...}, step="c"),))
    assert await kept(opened) is None


async def test_records_of_one_call_change_in_order(opened: Opened) -> None:
    cid = await opened.start()
    await opened.store.runs.record_steps(
        [record(cid, {"n": number}, step=f"s{number}") for number in range(5)]
    )
    assert await kept(opened) == {"n": 4}


async def test_the_same_record_again_changes_nothing_more(opened: Opened) -> None:
    cid = await opened.start()
    for _ in range(2):
        await opened.store.runs.record_steps((record(cid, {"a": 1, "b": ...}),))
    assert await kept(opened) == {"a": 1}


async def test_state_survives_a_restart(opened: Opened) -> None:
    cid = await opened.start(on_crash=OnCrash.RESTART)
    await opened.store.runs.record_steps((record(cid, {"n": 7}),))
    await opened.reopen()
    await opened.store.runs.recover()
    (tasklet,) = await opened.store.queue.claim(["w1"])
    assert (tasklet.cid, tasklet.attempt, tasklet.state) == (cid, 2, b'{"n":7}')


async def test_an_attempt_that_is_not_the_runs_any_more_changes_nothing(opened: Opened) -> None:
    cid = await opened.start(on_crash=OnCrash.RESTART)
    await opened.store.runs.record_steps((record(cid, {"n": 1, "m": 1}),))
    await opened.store.runs.lose([(cid, 1)], reason="Gone.")
    await opened.store.runs.record_steps((record(cid, {"n": 2, "m": ..., "k": 3}, step="b"),))
    assert await kept(opened) == {"n": 1, "m": 1}


async def test_a_run_that_is_being_cancelled_still_keeps(opened: Opened) -> None:
    cid = await opened.start()
    await opened.store.runs.request_cancel(cid, CancelRequest(0.0))
    await opened.store.runs.record_steps((record(cid, {"n": 1}),))
    assert await kept(opened) == {"n": 1}


async def test_a_claim_of_several_plans_gives_each_its_own(opened: Opened) -> None:
    for plan_name in ("one", "two"):
        cid = await opened.start(plan_name=plan_name)
        await opened.store.runs.record_steps((record(cid, {"of": plan_name}),))
    for plan_name in ("one", "two", "three"):
        await opened.enqueue(plan_name=plan_name)
    tasklets = await opened.store.queue.claim(["w1", "w2", "w3"])
    assert {tasklet.plan_name: tasklet.state for tasklet in tasklets} == {
        "one": b'{"of":"one"}',
        "two": b'{"of":"two"}',
        "three": None,
    }
