"""Inputs of runs: what is taken, converted and filled in, and what a JSON Schema says of it.

Imports pytest, Hypothesis, jsonschema, and aura_aio's catalog and model.
"""

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aura_aio.catalog.inputs import check_inputs, with_absent
from aura_aio.catalog.json_schema import inputs_schema
from aura_aio.model.errors import InputsRejected
from aura_aio.model.plan import InputSpec, Task, TaskMeta
from aura_aio.model.pointers import spelled


def task(*specs: InputSpec) -> Task:
    return Task("p", "t", meta=TaskMeta(inputs=specs))


def faults(spec: InputSpec, value: Any) -> list[str]:
    try:
        check_inputs(task(spec), {"x": value})
    except InputsRejected as rejection:
        return [
            f"{spelled(place.removeprefix('/inputs'))} {fault}" for place, fault in rejection.faults
        ]
    return []


@st.composite
def specs(draw: st.DrawFn, name: str = "x", depth: int = 2) -> InputSpec:
    """An input with bounds, as a task file may have it."""
    kinds = ["string", "number", "integer", "boolean", "any"]
    kind = draw(st.sampled_from([*kinds, "list", "dict"] if depth else kinds))
    low, high = sorted(draw(st.tuples(st.integers(-3, 5), st.integers(-3, 5))))
    bounds: dict[str, Any] = {}
    if kind in {"number", "integer"} and draw(st.booleans()):
        bounds = {"min": float(low), "max": float(high)}
    elif kind == "string" and draw(st.booleans()):
        bounds = {"min": float(max(0, low)), "max": float(max(0, high))}
    elif kind == "list":
        bounds = {"item": draw(specs("item", depth - 1))}
        if draw(st.booleans()):
            bounds |= {"min_items": max(0, low), "max_items": max(0, high)}
    elif kind == "dict" and draw(st.booleans()):
        names = draw(st.lists(st.sampled_from("abc"), unique=True))
        bounds = {"properties": tuple(draw(specs(each, depth - 1)) for each in names)}
    return InputSpec(name, type=kind, required=draw(st.booleans()), **bounds)


json_values = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-10, 10),
        st.floats(-9, 9),
        st.sampled_from(["", "a", "true", "7", "-2.5", "1e1", "long text"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(specs(), st.dictionaries(st.sampled_from(["x", "y"]), json_values))
@settings(max_examples=200, deadline=None)
def test_what_is_taken_satisfies_the_schema_and_is_taken_again_as_it_is(
    spec: InputSpec, inputs: dict[str, Any]
) -> None:
    schema = inputs_schema([spec])
    jsonschema.Draft202012Validator.check_schema(schema)
    try:
        checked = check_inputs(task(spec), inputs)
    except InputsRejected:
        assert not jsonschema.Draft202012Validator(schema).is_valid(inputs)
        return
    jsonschema.validate(checked, schema)
    assert check_inputs(task(spec), checked) == checked


def test_the_schema_says_all_that_it_can() -> None:
    listed = InputSpec("l", "list<string>", item=InputSpec("item"), min_items=1, max_items=2)
    schema = inputs_schema(
        [
            InputSpec("s", required=True, min=1, max=5, pattern="^a", label="S", description="It"),
            InputSpec("n", "number", default=2, min=0.5, ui={"widget": "slider"}),
            InputSpec("e", enum=("a", "b"), required=True, default="a"),
            InputSpec("k", secret=True),
            InputSpec("t", "datetime"),
            InputSpec("d", "dict", properties=(InputSpec("u", "integer", required=True),)),
            listed,
            InputSpec("f", "dict"),
            InputSpec("a", "any"),
        ]
    )
    assert schema == {
        "type": "object",
        "properties": {
            "s": {
                "type": "string", "minLength": 1, "maxLength": 5, "pattern": "^a",
                "title": "S", "description": "It",
            },
            "n": {"type": "number", "minimum": 0.5, "x-ui": {"widget": "slider"}, "default": 2},
            "e": {"type": "string", "enum": ["a", "b"], "default": "a"},
            "k": {"type": "string", "writeOnly": True},
            "t": {"type": "string", "format": "date-time"},
            "d": {
                "type": "object",
                "properties": {"u": {"type": "integer"}},
                "required": ["u"],
                "additionalProperties": False,
            },
            "l": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
            "f": {"type": "object"},
            "a": {},
        },
        "required": ["s"],
        "additionalProperties": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("number", "12", 12), ("number", "-1.5e2", -150.0), ("integer", "12", 12),
        ("integer", 3.0, 3), ("string", 3, "3"), ("string", 2.5, "2.5"), ("boolean", "Yes", True),
        ("boolean", "0", False), ("datetime", "2024-01-31", "2024-01-31T00:00:00"),
        ("any", {"a": [None]}, {"a": [None]}),
    ],
)  # fmt: skip
def test_values_are_converted(kind: str, value: Any, found: Any) -> None:
    checked = check_inputs(task(InputSpec("x", kind)), {"x": value})["x"]
    assert checked == found
    assert type(checked) is type(found)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", "1_000"), ("number", "nan"), ("number", "1e999"), ("number", True),
        ("number", float("inf")), ("number", ""), ("integer", "1.5"), ("integer", False),
        ("string", True), ("string", []), ("boolean", 1), ("boolean", "maybe"), ("list", "a"),
        ("dict", []), ("path", "a\0b"), ("datetime", 5), ("datetime", "31.1.2024"),
    ],
)  # fmt: skip
def test_other_values_are_refused(kind: str, value: Any) -> None:
    assert len(faults(InputSpec("x", kind), value)) == 1


def test_nothing_is_changed_in_what_was_given() -> None:
    spec = InputSpec("x", "dict", properties=(InputSpec("a", default=[1]), InputSpec("b")))
    given_inputs = {"x": {"b": 5}}
    assert check_inputs(task(spec), given_inputs) == {"x": {"a": [1], "b": "5"}}
    assert given_inputs == {"x": {"b": 5}}


def test_a_long_value_is_cut_in_the_message() -> None:
    (fault,) = faults(InputSpec("x", "number"), "y" * 500)
    assert len(fault) < 130


def test_absent_inputs_become_none_within_dicts_too() -> None:
    inner = InputSpec("d", "dict", properties=(InputSpec("a"), InputSpec("b")))
    assert with_absent((inner, InputSpec("s")), {"d": {"a": 1}}) == {
        "d": {"a": 1, "b": None},
        "s": None,
    }


@pytest.mark.timeout(20)
def test_a_pattern_that_goes_back_for_ever_is_given_up_on_once() -> None:
    item = InputSpec("item", pattern="(a|aa)+$")
    spec = InputSpec("x", "list<string>", item=item)
    found = faults(spec, ["aa", "b", "a" * 90 + "b", *["a" * 90 + "b"] * 5000])
    assert found == [
        "x[1] must match the pattern (a|aa)+$",
        "x[2] takes too long to compare with the pattern (a|aa)+$",
    ]
    assert faults(InputSpec("x", pattern="^[a-z]{2,5}$"), "abc") == []
