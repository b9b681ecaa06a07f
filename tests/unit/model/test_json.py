"""JSON that comes from outside: every object says each name once.

Imports Hypothesis, msgspec, pytest and aura_aio.model.
"""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_aio.model.json import loads, loads_strictly

values = st.recursive(
    st.none() | st.integers(-9, 9) | st.text(alphabet='a:"\\{}[],', max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(alphabet='ab:"\\', max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(values, st.booleans())
def test_what_has_each_name_once_is_read_as_ever(value: object, spaced: bool) -> None:
    text = json.dumps(value, indent=1 if spaced else None)
    assert loads_strictly(text) == loads_strictly(text.encode()) == loads(text) == value


@given(values, st.lists(st.sampled_from(["l", "o"]), max_size=4))
def test_a_name_that_stands_twice_is_found_wherever(value: object, way: list[str]) -> None:
    inner = json.dumps(value)
    text = f'{{"a": {inner}, "b" : 1, "\\u0061":2}}'
    for step in way:
        text = f"[{inner}, {text}]" if step == "l" else f'{{"x:y": {text}}}'
    for sent in (text, text.encode()):
        with pytest.raises(msgspec.DecodeError, match="the name 'a' twice"):
            loads_strictly(sent)


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a":1}{"a":1}', '"\\ud800"', b"\xff"])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        loads_strictly(text)
