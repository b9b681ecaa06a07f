"""Values as people read them: what is safe to print, times, durations.

Imports pytest, hypothesis, `cli.text` and `cli.inputs`.
"""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_aio.cli.text import count, duration, period, safe, safe_json, safe_lines

STEERS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
DIRTY = st.text(st.one_of(st.characters(), st.sampled_from("\x1b[m0;\x9b\x07\r\n\t\u202e")))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(DIRTY)
def test_safe_text_steers_nothing(text: str) -> None:
    assert not STEERS.search(safe(text))
    assert not any(STEERS.search(line) for line in safe_lines(text))


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_safe_text_is_the_text_where_that_is_harmless(text: str) -> None:
    assert safe(text) == text
    assert safe_lines(text) == [text]


@given(VALUES)
def test_safe_json_means_the_same(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    assert json.loads(safe_json(text)) == value
    assert not STEERS.search(safe_json(text).replace("\n", ""))


def test_colours_go_and_lines_stay() -> None:
    assert safe("a\x1b[1;31mred\x1b[0m\tb") == "ared b"
    assert safe_lines("one\r\ntwo\n\n") == ["one", "two", ""]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 ms"),
        (0.0184, "18 ms"),
        (0.9996, "1.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 m 00 s"),
        (125, "2 m 05 s"),
        (3599.6, "1 h 00 m"),
        (3 * 3600 + 61, "3 h 01 m"),
        (86_399.7, "1 d 00 h"),
        (2 * 86_400 + 5 * 3600, "2 d 05 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "500 ms"), (5, "5 s"), (2.5, "2.5 s"), (300, "5 m"), (90, "1 m 30 s"), (86_400, "1 d")],
)
def test_periods_have_no_rest_that_is_none(seconds: float, text: str) -> None:
    assert period(seconds) == text


def test_counts() -> None:
    assert [count(1, "entry", "entries"), count(2000, "run")] == ["1 entry", "2,000 runs"]
