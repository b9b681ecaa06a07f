"""Trace contexts of W3C: what is taken, what is ignored, what goes on.

Imports pytest and aura_aio.model.
"""

import re

import pytest

from aura_aio.model.trace import TraceContext, span_id, trace_context

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
    assert trace_context([text]) == TraceContext(taken)


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
    assert trace_context([text], ["a=1"]) is None


def test_two_are_none() -> None:
    assert trace_context([]) is None
    assert trace_context([GOOD, GOOD]) is None


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        (["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"], "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        (["a=1", "b=2"], "a=1,b=2"),
        (["a=1 ,\tb=2,, ,c=3,"], "a=1,b=2,c=3"),
        (["fw529a3039@dt=x;y:z", "0a_-*/=~!"], "fw529a3039@dt=x;y:z,0a_-*/=~!"),
        (["a= b c"], "a= b c"),
        ([f"{'k' * 256}={'v' * 256}"], None),  # well-formed, but more than goes on
        ([",".join(f"k{n}=v" for n in range(32))], ",".join(f"k{n}=v" for n in range(32))),
    ],
)
def test_a_state_is_kept_as_it_is_but_for_blanks(headers: list[str], taken: str | None) -> None:
    assert trace_context([GOOD], headers) == TraceContext(GOOD, taken)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        [" , "],
        ["a"],
        ["a="],
        ["=1"],
        ["A=1"],
        ["a=1=2"],
        ["a=ü"],
        ["a=1\x7f"],
        ["a=1,b"],
        ["a=1,a=2"],
        ["a=1", "b=1,a=2"],
        ["_a=1"],
        ["a@=1"],
        [f"a@{'s' * 15}=1"],
        [f"{'k' * 257}=1"],
        [f"a={'v' * 257}"],
        [",".join(f"k{n}=v" for n in range(33))],
        ["a=1,\n"],
    ],
)
def test_a_state_that_is_none_is_dropped_alone(headers: list[str]) -> None:
    assert trace_context([GOOD], headers) == TraceContext(GOOD)


def test_of_a_long_state_first_the_long_members_go_and_then_the_last() -> None:
    short = [f"k{n}={'v' * 97}" for n in range(7)]
    long = f"long={'v' * 124}"
    found = trace_context([GOOD], [",".join([short[0], long, *short[1:3]])])
    assert found == TraceContext(GOOD, ",".join([short[0], long, *short[1:3]]))
    found = trace_context([GOOD], [",".join([short[0], long, *short[1:]])])
    assert found == TraceContext(GOOD, ",".join(short[:5]))
    assert found is not None
    assert found.state is not None
    assert len(found.state) <= 512 < len(",".join(short[:6]))


def test_a_child_is_another_span_of_the_same_trace() -> None:
    whole = TraceContext(GOOD, "a=1")
    first, second = whole.child(), whole.child()
    assert first != second
    assert trace_context([first.parent], ["a=1"]) == first
    assert re.fullmatch(rf"00-{TRACE}-(?!{SPAN})[0-9a-f]{{16}}-01", first.parent)
    assert first.trace_id == whole.trace_id == TRACE
    assert whole.headers == {"traceparent": GOOD, "tracestate": "a=1"}
    assert TraceContext(GOOD).headers == {"traceparent": GOOD}


def test_the_span_of_a_place_is_the_same_for_everybody_and_of_no_other() -> None:
    places = [("c", 1), ("c", 2), ("c", 1, "a"), ("c", 1, "b"), ("c", 1, "\ud800")]
    spans = [span_id(*place) for place in places]
    assert spans == [span_id(*place) for place in places]
    assert len(set(spans)) == len(places)
    assert trace_context([TraceContext(GOOD).within(spans[0]).parent]) is not None
