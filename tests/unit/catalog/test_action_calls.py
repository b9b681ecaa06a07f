"""The parameters of a step beside its function: what is refused at load is refused in a run.

Imports pytest, Hypothesis, and aura_aio's catalog and engine.
"""

import ast
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aura_aio.catalog.action_calls import CallChecks
from aura_aio.catalog.action_parameters import Function, signature_of
from aura_aio.catalog.action_types import ModuleNames
from aura_aio.catalog.document import read_document
from aura_aio.catalog.place import Faults, Place
from aura_aio.engine.failures import BadParameters
from aura_aio.engine.parameters import Binder

HEAD = """
import datetime
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import *
from typing import Annotated, Any, Dict, List, Literal, Optional, TypeVar, Union
from uuid import UUID

from aura_aio import ActionContext
from aura_aio import ActionContext as Given

T = TypeVar("T")
Alias = Given | None

class Colour(Enum):
    RED = 1

@dataclass
class Point:
    x: int = 0

"""
NAMES = [
    "int", "str", "float", "bool", "list", "dict", "tuple", "set", "None", "object", "Any", "Path",
    "date", "datetime.datetime", "datetime.timedelta", "Decimal", "UUID", "Colour", "Point", "T",
    "ActionContext", "Given", "Alias", "Callable", "t.Any", "Literal['a', 1]", "Literal[-1]",
    "Literal[True]", "tuple[()]", "'int'", "'Point'", "Annotated[int, 'x']", "List", "type[int]",
]  # fmt: skip
FORMS = [
    "list[{}]", "dict[str, {}]", "Dict[str, {}]", "tuple[{}, ...]", "tuple[{}, int]", "set[{}]",
    "Optional[{}]", "t.Optional[{}]", "Union[{}, int]", "Sequence[{}]", "Mapping[str, {}]",
    "{} | None", "None | {}", "List[{}]",
]  # fmt: skip
annotations = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.builds(lambda form, of: form.format(of), st.sampled_from(FORMS), inner),
    max_leaves=3,
)
values = st.recursive(
    st.sampled_from(
        [
            *(None, True, 0, 1, -1, 1.5, "", "a", "x", "1", "true", "RED", "2024-01-01", "PT1S"),
            *(10**400, "9" * 400, "1e400", 2**63, 1e300, "NaN"),
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["x", "y", "1"]), inner, max_size=2)
    ),
    max_leaves=4,
)


NAMESPACE: dict[str, Any] = {"__name__": "plan"}
exec(HEAD, NAMESPACE)  # noqa: S102 - it is the test's own
NAMES_OF_HEAD = ModuleNames(ast.parse(HEAD))


def defined(taken: str) -> Function:
    """The source of a function that takes so much."""
    (node,) = ast.parse(f"def f({taken}): ...").body
    assert isinstance(node, Function)
    return node


def called(taken: str) -> Callable[..., Any] | None:
    """That function; None if it is none (`'int' | None` is no annotation)."""
    namespace = dict(NAMESPACE)
    try:
        exec(f"def f({taken}): ...", namespace)  # noqa: S102 - it is the test's own
    except TypeError:
        return None
    function: Callable[..., Any] = namespace["f"]
    return function


def faults_at_load(taken: str, params: dict[str, Any]) -> list[str]:
    """What is wrong with a call as far as the source says it."""
    signature = signature_of(defined(taken), NAMES_OF_HEAD)
    assert signature is not None
    faults = Faults("t.yaml")
    step = Place(read_document(json.dumps({"action": "f", "params": params})), faults)
    CallChecks().check("f", step, step.entries()["params"], signature)
    return [fault.message for fault in faults.in_order()]


def is_refused(function: Callable[..., Any], params: dict[str, Any]) -> bool:
    """Whether a run refuses the call."""
    try:
        Binder("f", function).bind(params, None)  # type: ignore[arg-type]
    except BadParameters:
        return True
    return False


def takes_no_less(taken: str, params: dict[str, Any]) -> None:
    """Check that a run refuses what is refused at load."""
    function = called(taken)
    faults = faults_at_load(taken, params)
    assert not faults or function is None or is_refused(function, params), faults


@given(annotations, values)
@settings(max_examples=200, deadline=None)
def test_what_does_not_fit_at_load_does_not_fit_in_a_run(kind: str, value: Any) -> None:
    takes_no_less(f"x: {kind}", {"x": value})


@given(st.lists(annotations, min_size=1, max_size=3), st.sets(st.sampled_from("abcd")))
@settings(max_examples=100, deadline=None)
def test_what_is_missing_or_unknown_at_load_is_so_in_a_run(
    kinds: list[str], names: set[str]
) -> None:
    taken = ", ".join(f"{name}: {kind}" for name, kind in zip("abc", kinds, strict=False))
    takes_no_less(taken, dict.fromkeys(names))


@pytest.mark.parametrize(
    "kind",
    [
        "[int]", "{}", "lambda: 0", "f'{x}'", "a.b.c", "x[y][z]", "1", "-1", "...", "x()", "''",
        "'not python('", "list[*x]", "Optional[()]", "Union[()]", "Literal[()]", "dict[int]",
        "tuple[..., int]", "int | ...", "'\\0'",
    ],
)  # fmt: skip
def test_of_other_annotations_nothing_is_said(kind: str) -> None:
    assert faults_at_load(f"x: {kind}", {"x": {"some": ["thing"]}}) == []


def test_annotations_may_be_nested() -> None:
    kind = "list[" * 60 + "int" + "]" * 60
    assert faults_at_load(f"x: {kind}", {"x": [[]]}) == []
    assert len(faults_at_load(f"x: {kind}", {"x": [["y"]]})) == 1


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int", "x"),
        ("list[int]", [1, "x"]),
        ("Optional[date]", "soon"),
        ("dict[str, Literal['a', 'b']]", {"x": "c"}),
        ("str | int", {}),
        ("Sequence[datetime.timedelta]", ["x"]),
        ("Union[UUID, List[Decimal]]", "x"),
        ("list[Any]", {}),
        ("Annotated[bool, 'x']", "perhaps"),
    ],
)
def test_what_is_sure_is_refused(kind: str, value: Any) -> None:
    function = called(f"x: {kind}")
    assert function is not None
    faults = faults_at_load(f"x: {kind}", {"x": value})
    assert len(faults) == 1
    assert "does not fit" in faults[0]
    assert is_refused(function, {"x": value})
