"""What an entry looks like on the wire, whatever was logged.

Imports aura_aio.logs.payload, model and hypothesis.
"""

import json as standard_json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from aura_aio.logs.payload import payload, payloads, plain, sound
from aura_aio.model import json
from aura_aio.model.log import LogEntry, LogLevel, LogLine
from tests.unit.logs.lines import CID, Odd, line, wild_lines


def wire(logged: LogLine) -> Any:
    """The payload of `logged`, read by another JSON parser."""
    return standard_json.loads(payload(LogEntry(7, sound(logged, now=0.0))))


def test_a_full_entry() -> None:
    full = line(
        level=LogLevel.WARNING,
        cid=CID,
        plan_name="hello",
        task_name="greet",
        step="say",
        attempt=2,
        worker="worker-1",
        data={"n": 1},
    )
    assert wire(full) == {
        "seq": 7,
        "timestamp": "2026-01-31T12:00:00.250000Z",
        "level": "warning",
        "logger": "actions.greet",
        "message": "hello",
        "cid": CID,
        "plan_name": "hello",
        "task_name": "greet",
        "step": "say",
        "attempt": 2,
        "worker": "worker-1",
        "data": {"n": 1},
    }


@given(st.lists(wild_lines | st.builds(line, st.text()), max_size=6), st.integers(1, 3))
def test_many_are_spelled_as_each_is(lines: list[LogLine], times: int) -> None:
    repeated = [sound(each, now=0.0) for each in lines for _ in range(times)]
    entries = [LogEntry(seq, each) for seq, each in enumerate(repeated, 9)]
    assert payloads(entries) == [payload(each) for each in entries]


def test_what_is_spelled_once_is_spelled_anew_when_it_changes() -> None:
    lines = [line(), line(cid=CID), line(cid=CID, plan_name="x"), line(task_name="x")]
    lines += [line(step="x"), line(worker="x"), line(worker="x", step="x")]
    lines += [line(attempt=1), line(attempt=2), line(level=LogLevel.ERROR), line()]
    lines += [msgspec.structs.replace(line(), logger="other", timestamp=1_769_860_801.999999)]
    lines += [msgspec.structs.replace(line(), timestamp=1_769_860_801.9999999)]
    entries = [LogEntry(1, each) for each in lines]
    assert payloads(entries) == [payload(each) for each in entries]


def test_absent_values_are_absent_properties() -> None:
    assert wire(line()).keys() == {"seq", "timestamp", "level", "logger", "message"}


def test_a_sound_line_is_left_as_it_is() -> None:
    logged = line("Grüße, 世界 🌍 \x00", data={"a": [1, None, {"b": 2.5}]})
    assert sound(logged, now=0.0) is logged


def test_lone_surrogates_become_escapes() -> None:
    logged = line("caf\udce9.txt", step="\ud83d", data={"\ud800": "\udfff"})
    assert wire(logged)["message"] == r"caf\udce9.txt"
    assert wire(logged)["step"] == r"\ud83d"
    assert wire(logged)["data"] == {r"\ud800": r"\udfff"}


def test_values_without_a_json_form_become_their_repr() -> None:
    logged = line(data={"odd": Odd(), "fine": [1, "x"], "keys": {(1, 2): b"\xff"}})
    assert wire(logged)["data"] == {
        "odd": r"<Odd \udce4>",
        "fine": [1, "x"],
        "keys": {"(1, 2)": r"b'\xff'"},
    }


def test_data_that_contains_itself_ends_somewhere() -> None:
    data: dict[str, Any] = {"n": 1}
    data["self"] = data
    written = wire(line(data=data))["data"]
    assert written["self"]["self"]["n"] == 1
    assert standard_json.dumps(written).count("n") < 20


def test_data_at_the_edge_of_what_can_be_nested_is_still_sent() -> None:
    for depth in range(1, 1_500):
        data: dict[str, Any] = {}
        for _ in range(depth):
            data = {"d": data}
        fit = sound(line(data=data), now=0.0)
        if fit.data != data:
            break
        assert payload(LogEntry(1, fit)).startswith(b'{"seq":1,')
    else:
        raise AssertionError("no depth was too much")


def test_an_impossible_timestamp_becomes_now() -> None:
    for timestamp in (float("nan"), float("inf"), -1.0, 1e300):
        logged = LogLine(timestamp, LogLevel.INFO, "a", "b")
        assert sound(logged, now=1.5).timestamp == 1.5


@given(wild_lines)
def test_whatever_is_logged_becomes_json(logged: LogLine) -> None:
    fit = sound(logged, now=0.0)
    text = payload(LogEntry(1, fit))
    written = standard_json.loads(text.decode("utf-8"))
    assert written["message"].isprintable() or written["message"] == fit.message
    assert None not in [value for key, value in written.items() if key != "data"]
    assert sound(fit, now=0.0) is fit


@given(wild_lines)
def test_an_entry_that_was_stored_looks_like_it_did_live(logged: LogLine) -> None:
    fit = sound(logged, now=0.0)
    data = None if fit.data is None else json.loads(json.dumps(fit.data))
    stored = msgspec.structs.replace(fit, data=data)
    assert payload(LogEntry(1, stored)) == payload(LogEntry(1, fit))


def test_plain_leaves_what_json_has() -> None:
    value = {"a": [1, 2.5, True, None, "x"], "b": {"c": []}}
    assert plain(value) == value
