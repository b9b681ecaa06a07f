"""When the queue is looked at: for a reason, and not for one that another look has answered.

Imports dispatch.looks, model and tests.waiting.
"""

import asyncio

from aura_aio.dispatch.looks import MOST_TOLD_APART, Looks
from aura_aio.model.run import RunChanged
from aura_aio.model.states import RunState
from tests.waiting import turns


def fact(source: RunState | None, target: RunState, cid: str = "c") -> RunChanged:
    """A change of some run."""
    return RunChanged(cid, source, target, 1, 0.0)


QUEUED = fact(None, RunState.QUEUED)
CLAIMED = fact(RunState.QUEUED, RunState.RUNNING)
ENDED = fact(RunState.RUNNING, RunState.SUCCEEDED)
REMOVED = fact(RunState.QUEUED, RunState.CANCELLED)


async def is_due(looks: Looks) -> bool:
    """Whether a look is due now, which is taken."""
    waiting = asyncio.ensure_future(looks.due())
    await turns(5)
    done = waiting.done()
    waiting.cancel()
    return done


async def test_a_run_that_comes_or_goes_is_a_reason_once() -> None:
    looks = Looks()
    assert not await is_due(looks)
    for change in (QUEUED, REMOVED):
        looks.run_changed(change)
        assert await is_due(looks)
        assert not await is_due(looks)


async def test_what_a_claim_has_seen_is_no_reason() -> None:
    looks = Looks()
    looks.run_changed(QUEUED)
    looks.run_changed(CLAIMED)
    looks.run_changed(ENDED)
    assert not await is_due(looks)
    looks.run_changed(CLAIMED)
    looks.run_changed(QUEUED)  # after the claim
    assert await is_due(looks)


async def test_what_another_host_had_no_room_for_is_a_reason() -> None:
    """It has queued two runs and claimed one of them in the same transaction."""
    looks = Looks()
    for cid in ("first", "second"):
        looks.run_changed(fact(None, RunState.QUEUED, cid))
    looks.run_changed(fact(RunState.QUEUED, RunState.RUNNING, "first"))
    assert await is_due(looks)
    for change in (fact(None, RunState.QUEUED, "third"), CLAIMED):
        looks.run_changed(change)
    assert await is_due(looks)  # "third" is still there, whatever others have begun


async def test_of_many_runs_that_come_one_that_stays_is_a_reason() -> None:
    looks = Looks()
    cids = [f"run-{number}" for number in range(3 * MOST_TOLD_APART)]
    for cid in cids:
        looks.run_changed(fact(None, RunState.QUEUED, cid))
    for cid in cids[1:]:
        looks.run_changed(fact(RunState.QUEUED, RunState.RUNNING, cid))
    assert await is_due(looks)


async def test_a_claim_does_not_take_away_another_reason() -> None:
    looks = Looks()
    looks.again()
    looks.run_changed(CLAIMED)
    assert await is_due(looks)


async def test_a_run_that_is_about_to_come_is_a_reason_while_there_is_room() -> None:
    looks = Looks()
    looks.run_comes()
    assert not await is_due(looks)
    looks.has_room = True
    looks.run_comes()
    assert await is_due(looks)
    assert not looks.has_room


async def test_a_free_slot_is_a_reason_unless_others_were_left_free() -> None:
    looks = Looks()
    looks.slot_free()
    assert await is_due(looks)
    looks.has_room = True
    looks.slot_free()
    assert not await is_due(looks)
    looks.again()  # limits, say, that are free again
    assert await is_due(looks)


async def test_the_end_of_a_run_on_another_host_is_a_reason() -> None:
    """What its limits held may be free; of one that ended here that is told otherwise."""
    looks = Looks()
    looks.run_changed(ENDED)
    assert not await is_due(looks)
    looks.run_changed(ENDED, is_own=False)
    assert await is_due(looks)
