"""What a plan keeps, layer over layer, against plain dicts.

Imports Hypothesis, pytest, and aura_aio's engine.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_aio.engine.state import MAX_BYTES, State, StateRefused

KEYS = st.sampled_from("abcd")
VALUES = st.one_of(st.none(), st.integers(-9, 9), st.text(max_size=9), st.lists(st.booleans()))
CHANGES = st.lists(st.tuples(KEYS, st.one_of(VALUES, st.just(...))), max_size=12)


def apply(target: Any, changes: list[tuple[str, Any]]) -> None:
    """Set, or delete where a value is `...`."""
    for key, value in changes:
        if value is not ...:
            target[key] = value
        elif key in target:
            del target[key]


@given(st.dictionaries(KEYS, VALUES), CHANGES, CHANGES)
def test_a_layer_reads_as_a_dict_and_changes_nothing_below(
    start: dict[str, Any], first: list[tuple[str, Any]], second: list[tuple[str, Any]]
) -> None:
    run = State.of(json.dumps(start).encode())
    step = State(run)
    call = State(step)
    model = dict(start)
    for changes, below in ((first, step), (second, run)):
        before = dict(below)
        apply(call, changes)
        apply(model, changes)
        assert dict(call) == model
        assert len(call) == len(model)
        assert dict(below) == before
        step.take(call.changes)
        assert dict(step) == model
    run.take(step.changes)
    assert dict(run) == model
    assert run.texts().keys() == model.keys()


@given(st.lists(CHANGES, max_size=4))
def test_room_that_was_given_back_can_be_used_again(rounds: list[list[tuple[str, Any]]]) -> None:
    run = State()
    for changes in rounds:
        step = State(run)
        apply(step, changes)
        for key in tuple(step):
            del step[key]
        run.take(step.changes)
    filled = State(run)
    size = 0
    while size + 60_006 <= MAX_BYTES:
        filled[f"k{len(filled):03}"] = "x" * 60_000
        size += 60_006
    rest = MAX_BYTES - size - len("k999") - len('""')
    with pytest.raises(StateRefused, match="more than 1,048,576 bytes"):
        filled["k999"] = "x" * (rest + 1)
    filled["k999"] = "x" * rest


def test_deleting_what_is_not_there_is_a_key_error() -> None:
    state = State(State.of(b'{"a": 1}'))
    del state["a"]
    for key in ("a", "b"):
        with pytest.raises(KeyError):
            del state[key]
        with pytest.raises(KeyError):
            state[key]
    assert state.get("a", 5) == 5


def test_it_shows_its_keys_and_no_values() -> None:
    assert repr(State.of(b'{"a": "value"}')) == "<the state of the plan: 'a'>"
    assert repr(State()) == "<the state of the plan: empty>"
