"""What compiled schemas let pass, marshmallow lets pass as well, and makes the same of it.

Imports pytest, hypothesis, marshmallow, aura_aio and `near`.
"""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError
from multidict import MultiDict

from aura_aio.api.compiled import compiled_body, compiled_parameters
from aura_aio.api.first_look import FirstLook
from aura_aio.api.schemas import (
    component_schema,
    headers_schema_of,
    path_schema_of,
    query_schema_of,
)
from aura_aio.api.schemas.fields import Items
from aura_aio.api.schemas.tasks import AdHocTaskRequestSchema
from aura_aio.contract.document import load_contract
from aura_aio.model.json import loads_strictly
from tests.contract.near import Near

CONTRACT = load_contract()
COMPONENTS = CONTRACT.as_dict()["components"]["schemas"]
REQUESTS = sorted({each.body for each in CONTRACT.operations if each.body is not None})
OPERATIONS = [each.operation_id for each in CONTRACT.operations]
NEAR = Near(COMPONENTS)
QUERY_TEXTS = (
    "", "0", "1", "7", "-1", "-0", "007", "50", "55", "55.5", "1000", "1001", "0.5", "1.0", "1e1",
    "1e999", "5e-324", "nan", "inf", "+1", ".5", "1_0", " 1", "1\n", "\u0663", "9" * 20, "9" * 21,
    "9007199254740991", "9007199254740992", "true", "false", "True", "yes", "queued", "info", "now",
    "2026-03-02T09:15:00Z", "2026-02-30T00:00:00Z", "x" * 64, "x" * 65, "x" * 513,
)  # fmt: skip
TRIES = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
GOOD_TASK = compiled_body(CONTRACT.components, "AdHocTaskRequest")
TASK = '"plan_name": "hello", "task_name": "greet"'


def _loaded(schema: Schema, value: Any) -> Any:
    """What marshmallow makes of it; None if that is nothing."""
    try:
        return schema.load(value)
    except ValidationError:
        return None


@pytest.mark.parametrize("name", REQUESTS)
def test_bodies(name: str) -> None:
    """For values near the schema: right ones, which nearly all pass; at an edge, or wrong in one
    place. Each kind is drawn by itself: how many of each are among both is chance.
    """
    schema = component_schema(name)
    compiled = compiled_body(CONTRACT.components, name)

    def judged(value: Any, *, spaced: bool) -> tuple[bool, bool]:
        text = json.dumps(value, indent=1 if spaced else None).encode()
        expected, found = _loaded(schema, value), compiled.decode(text)
        converted = compiled.convert(loads_strictly(text)) if isinstance(value, dict) else None
        assert (converted is None) == (found is None)
        for each in (found, converted):
            if each is not None:
                # As text: 1, 1.0 and True are equal, but not the same.
                assert repr(sorted(each.items())) == repr(sorted(expected.items()))
        return expected is not None, found is not None

    right: Counter[tuple[bool, bool]] = Counter()
    odd: Counter[tuple[bool, bool]] = Counter()

    @settings(TRIES, max_examples=20)
    @given(value=NEAR.good(COMPONENTS[name]), spaced=st.booleans())
    def of_right(value: Any, *, spaced: bool) -> None:
        right[judged(value, spaced=spaced)] += 1

    @settings(TRIES, max_examples=40)
    @given(value=NEAR.odd(COMPONENTS[name]), spaced=st.booleans())
    def of_odd(value: Any, *, spaced: bool) -> None:
        odd[judged(value, spaced=spaced)] += 1

    of_right()
    of_odd()
    assert right[True, True] > 5 * right[True, False], "marshmallow has to look at what is good"
    assert odd[False, False] >= 5, "the values do not try what is wrong"


@pytest.mark.parametrize("place", ["path", "headers"])
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_parameters(operation_id: str, place: str) -> None:
    """Texts of a path and of headers, too long, empty, or with what a pattern does not take."""
    operation = CONTRACT.operation(operation_id)
    if place == "path":
        schema, parameters = path_schema_of(operation), operation.path_parameters
    else:
        schema, parameters = headers_schema_of(operation), operation.header_parameters
    if schema is None:
        return
    compiled = compiled_parameters(parameters, CONTRACT.components, is_strict=place == "path")
    names = [each.name for each in parameters] + ["x-other"]
    texts = st.text(max_size=3) | st.sampled_from(["", "7", "x" * 64, "x" * 65, "x" * 513, "x\n"])

    @TRIES
    @given(values=st.dictionaries(st.sampled_from(names), texts))
    def same(values: dict[str, str]) -> None:
        assert compiled.convert(values) == _loaded(schema, values)

    same()


@pytest.mark.parametrize(
    "text",
    [
        f'{{{TASK}, "plan_name": "hello"}}',
        f'{{{TASK}, "inputs": {{"a": 1, "\\u0061": 2}}}}',
        f'{{{TASK}, "labels": {{"a": "x:y", "a": "z"}}}}',
        f"{{{TASK}}} {{}}",
        f'{{{TASK}, "labels": {{"a": "\\ud800"}}}}',
        f'{{{TASK}, "inputs": {{"a": NaN}}}}',
        f'{{{TASK}, "inputs": {"[" * 9999}',
        f'{{{TASK}, "priority": null}}',
        f'{{{TASK}, "run_at": "2026-03-02T09:15:00Z", "delay_sec": 1}}',
        f'{{{TASK}, "inputs": {{"a": "\udced\udca0\udc80"}}}}',
        "[]",
        "",
    ],
)
def test_what_two_readers_may_understand_differently_does_not_pass(text: str) -> None:
    sent = text.encode(errors="surrogateescape")  # of which halves are single bytes
    assert GOOD_TASK.decode(sent) is None


def test_a_name_once_passes_however_many_colons_there_are() -> None:
    text = f'{{{TASK}, "inputs": {{"at": "09:15:00", "of": [{{"url": "http://x:1/"}}]}}}}'.encode()
    schema = AdHocTaskRequestSchema()
    assert GOOD_TASK.decode(text) == schema.load(loads_strictly(text))


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_queries(operation_id: str) -> None:
    """All that is no list is judged at the first look, and as marshmallow does."""
    operation = CONTRACT.operation(operation_id)
    schema, query = query_schema_of(operation), FirstLook(CONTRACT, operation, 64).query
    lists = {name for name, field in schema.fields.items() if isinstance(field, Items)}
    known = [each.name for each in operation.query_parameters]
    names = st.sampled_from([*known, *known, "stauts"])
    texts = st.sampled_from(QUERY_TEXTS) | st.text(max_size=3)

    @TRIES
    @given(sent=st.lists(st.tuples(names, texts), max_size=4).map(MultiDict))
    def same(sent: MultiDict[str]) -> None:
        expected, found = _loaded(schema, sent), query.of(sent)
        assert found is None or repr(sorted(found.items())) == repr(sorted(expected.items()))
        assert lists & sent.keys() or (found is None) == (expected is None)

    same()
    nothing = _loaded(schema, MultiDict())
    assert repr(query.none()) == repr(query.of({})) == repr(nothing)


def test_defaults_are_made_for_each() -> None:
    first, second = (GOOD_TASK.decode(f"{{{TASK}}}".encode()) for _ in range(2))
    assert first is not None
    assert first == second
    first["inputs"]["a"] = 1
    assert first != second
