"""Trace contexts of W3C: what is taken, what is ignored, what goes on.

Imports pytest and aura_aio.model.
"""

import re

import pytest

from aura_aio.model.trace import child_of, trace_id, traceparent_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        (GOOD, GOOD),
        (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"),
        (f"00-{TRACE}-{SPAN}-ff", GOOD),
        (f"cc-{TRACE}-{SPAN}-01", GOOD),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", GOOD),
    ],
)
def test_what_is_one_is_taken(text: str, taken: str) -> None:
    assert traceparent_of([text]) == taken


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01-",
        f"cc-{TRACE}-{SPAN}-01.what",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE[:-1]}g-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0g",
        f"{GOOD}\n",
    ],
)
def test_what_is_none_is_as_if_it_was_not_there(text: str) -> None:
    assert traceparent_of([text]) is None


def test_two_are_none() -> None:
    assert traceparent_of([]) is None
    assert traceparent_of([GOOD, GOOD]) is None


def test_a_child_is_another_span_of_the_same_trace() -> None:
    first, second = child_of(GOOD), child_of(GOOD)
    assert first != second
    assert traceparent_of([first]) == first
    assert re.fullmatch(rf"00-{TRACE}-(?!{SPAN})[0-9a-f]{{16}}-01", first)
    assert trace_id(first) == trace_id(GOOD) == TRACE
