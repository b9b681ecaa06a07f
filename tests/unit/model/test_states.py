"""The table of the states, as DESIGN has it, and what holds of `advance` everywhere.

Imports aura_aio.model and pytest.
"""

from itertools import product

import pytest

from aura_aio.model.errors import Conflict, IllegalTransition
from aura_aio.model.states import (
    CANCELLABLE,
    HOLDS_A_SLOT,
    STALE,
    TERMINAL,
    RunEvent,
    RunState,
    advance,
)

EVENTS = "claim succeed fail time_out stopped cancel lost_for_good lost"
TABLE = """
    queued     running  stale      stale      stale      stale      cancelled   stale      stale
    running    illegal  succeeded  failed     timed_out  failed     cancelling  failed     queued
    cancelling illegal  succeeded  cancelled  cancelled  cancelled  cancelling  cancelled  cancelled
    succeeded  illegal  stale      stale      stale      stale      illegal     stale      stale
    failed     illegal  stale      stale      stale      stale      illegal     stale      stale
    timed_out  illegal  stale      stale      stale      stale      illegal     stale      stale
    cancelled  illegal  stale      stale      stale      stale      illegal     stale      stale
"""

EXPECTED = [
    (state, event, target)
    for state, *targets in (row.split() for row in TABLE.strip().splitlines())
    for event, target in zip(EVENTS.split(), targets, strict=True)
]


def outcome(state: str, event: str) -> str:
    """What `advance` does, in the words of the table."""
    try:
        target = advance(RunState(state), RunEvent(event))
    except IllegalTransition:
        return "illegal"
    return target.value


@pytest.mark.parametrize(("state", "event", "target"), EXPECTED)
def test_advance_is_the_table_of_the_design(state: str, event: str, target: str) -> None:
    assert outcome(state, event) == target


def test_the_table_is_total() -> None:
    pairs = {(state, event) for state, event, _ in EXPECTED}
    assert pairs == set(product(RunState, RunEvent))


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_nothing_leads_out_of_a_terminal_state(state: RunState) -> None:
    assert {outcome(state, event) for event in RunEvent} == {"stale", "illegal"}


def test_every_state_is_reached_from_queued_and_leads_to_an_end() -> None:
    edges = {(state, target) for state, _, target in EXPECTED if target not in {"stale", "illegal"}}
    assert {"queued"} | {target for _, target in edges} == set(RunState)
    ending = set(TERMINAL)
    for _ in RunState:
        ending |= {RunState(state) for state, target in edges if RunState(target) in ending}
    assert ending == set(RunState)


def test_the_sets_say_what_the_table_says() -> None:
    assert {
        state for state in RunState if outcome(state, RunEvent.CANCEL) != "illegal"
    } == CANCELLABLE
    assert frozenset(RunState) - CANCELLABLE == TERMINAL
    assert {
        state for state in RunState if outcome(state, RunEvent.SUCCEED) == RunState.SUCCEEDED
    } == HOLDS_A_SLOT


def test_an_illegal_event_is_a_conflict_that_names_both() -> None:
    with pytest.raises(Conflict, match="succeeded cannot take the event 'cancel'") as caught:
        advance(RunState.SUCCEEDED, RunEvent.CANCEL)
    assert isinstance(caught.value, IllegalTransition)
    assert (caught.value.state, caught.value.event) == ("succeeded", "cancel")


def test_stale_is_an_answer_not_a_state() -> None:
    assert advance(RunState.QUEUED, RunEvent.SUCCEED) is STALE
    assert not isinstance(STALE, RunState)
