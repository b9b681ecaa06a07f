"""On what clients send, marshmallow judges as JSON Schema does.

Imports pytest, hypothesis, jsonschema_rs, aura_aio, `json_schema` and `near`.
"""

import copy
from collections import Counter
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator as Validator
from marshmallow import ValidationError

from aura_aio.api.schemas import component_schema
from aura_aio.contract.document import load_contract
from aura_aio.contract.schema_checks import PER_ITEM
from tests.contract.json_schema import Schemas, faults
from tests.contract.near import GOOD_MOMENTS, ODD_MOMENTS, Near

CONTRACT = load_contract()
DOCUMENT = CONTRACT.as_dict()
SCHEMAS = DOCUMENT["components"]["schemas"]
REQUESTS = sorted({each.body for each in CONTRACT.operations if each.body is not None})


def _whole_body(document: dict[str, Any]) -> dict[str, Any]:
    """The document without what is judged later, item by item and with its own verdict."""
    lenient = copy.deepcopy(document)
    for schema in lenient["components"]["schemas"].values():
        for below in schema.get("properties", {}).values():
            if below.get(PER_ITEM):
                del below["items"]
    return lenient


NEAR = Near(SCHEMAS)


@cache
def _schemas() -> Schemas:
    return Schemas(_whole_body(DOCUMENT))


@cache
def _judge(name: str) -> Validator:
    """Judges what is sent as this component; made when a test wants it, not in every process."""
    return _schemas().component(name)


def _marshmallow(name: str, value: Any) -> dict[str, Any] | list[Any]:
    """What marshmallow has against `value`; empty when nothing."""
    try:
        component_schema(name).load(value)
    except ValidationError as error:
        messages: dict[str, Any] | list[Any] = error.messages
        return messages
    return {}


@pytest.mark.parametrize("name", REQUESTS)
def test_same_verdict(name: str) -> None:
    """For values near the schema of every request: right, at an edge, or wrong in one place."""
    judge = _judge(name)
    seen: Counter[bool] = Counter()
    values = NEAR.good(SCHEMAS[name]) | NEAR.odd(SCHEMAS[name])

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(value=values)
    def agree(value: Any) -> None:
        expected = list(faults(judge, value))
        found = _marshmallow(name, value)
        seen[not expected] += 1
        assert bool(expected) == bool(found), f"JSON Schema: {expected}; marshmallow: {found}"

    agree()
    assert min(seen[True], seen[False]) >= 10, "the values do not try both verdicts"


@pytest.mark.parametrize("moment", [*GOOD_MOMENTS, *ODD_MOMENTS])
def test_date_times(moment: str) -> None:
    """RFC 3339 as both read it: with an offset, in the calendar, and nothing around it."""
    task = {"plan_name": "hello", "task_name": "greet", "run_at": moment}
    good = moment in GOOD_MOMENTS
    assert _judge("AdHocTaskRequest").is_valid(task) is good
    assert (_marshmallow("AdHocTaskRequest", task) == {}) is good


@pytest.mark.parametrize("name", REQUESTS)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_what_passes_keeps_its_meaning(name: str, data: st.DataObject) -> None:
    """Nothing is converted or lost: what was sent is loaded as it was, defaults beside it."""
    value = data.draw(NEAR.good(SCHEMAS[name]))
    loaded = component_schema(name).load(value)
    for key, sent in value.items():
        if SCHEMAS[name]["properties"][key].get("format") != "date-time":
            assert loaded[key] == sent
    for key in loaded.keys() - value.keys():
        assert key not in SCHEMAS[name].get("required", ())


def test_absent_bodies_mean_the_defaults() -> None:
    """Of an optional body, everything has a default or may be missing."""
    optional = {each.body for each in CONTRACT.operations if each.body and not each.body_required}
    assert {name: component_schema(name).load({}) for name in sorted(optional)} == {
        "CancelRequest": {"mode": "graceful", "grace_sec": 10},
        "PauseRequest": {},
        "ReloadRequest": {"force": False},
        "RetryRequest": {"definition": "pinned", "dry_run": False, "from": "start", "inputs": {}},
        "StopRequest": {"mode": "drain"},
    }


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_are_finite(number: float) -> None:
    """JSON has no such numbers; a parser that lets them through is not believed."""
    found = _marshmallow("StopRequest", {"timeout_sec": number})
    assert found == {"timeout_sec": ["Must be a number."]}


def test_a_batch_lets_bad_items_through_to_their_own_verdict() -> None:
    """The contract judges them one by one, so the request as a whole is good."""
    tasks = [{"plan_name": "hello", "task_name": "greet"}, {"plan_name": 5}, None]
    assert component_schema("TaskBatchRequest").load({"tasks": tasks}) == {
        "tasks": tasks,
        "atomic": False,
    }
