"""The parameters of a step against the function that it calls.

Imports pytest, and aura_aio's engine.
"""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

import pytest

from aura_aio import ActionContext
from aura_aio.engine.failures import BadParameters
from aura_aio.engine.parameters import Binder

if TYPE_CHECKING:
    from collections.abc import Callable

CONTEXT = cast("ActionContext", object())


class Colour(enum.Enum):
    """A colour."""

    RED = "red"


class Row(TypedDict):
    """A row."""

    id: int


@dataclass
class Point:
    """A point."""

    x: int
    y: int = 0


class Opaque:
    """A class that msgspec knows nothing of."""


def bind(function: Callable[..., Any], **given: Any) -> dict[str, Any]:
    return Binder("act", function).bind(given, CONTEXT)


def test_values_are_converted_by_their_annotations() -> None:
    def act(
        n: int, f: float, s: str, b: bool, *, c: Colour, p: Point, r: list[Row], e: Path,
        m: str | None,
    ) -> None: ...  # fmt: skip

    bound = bind(
        act, n="3", f=1, s=2.5, b="true", c="red", p={"x": "1"}, r=[{"id": 1}], e="a/b", m=7
    )
    assert bound == {
        "n": 3,
        "f": 1.0,
        "s": "2.5",
        "b": True,
        "c": Colour.RED,
        "p": Point(1),
        "r": [{"id": 1}],
        "e": Path("a/b"),
        "m": "7",
    }
    assert type(bound["f"]) is float


def test_what_has_no_annotation_is_passed_as_it_is() -> None:
    def act(a, b: Any, c: object, **rest) -> None:  # type: ignore[no-untyped-def]
        ...

    value = object()
    assert bind(act, a=value, b=value, c=value, d=value) == dict.fromkeys("abcd", value)


def test_annotations_that_cannot_be_checked_are_left_alone() -> None:
    def act(a: Opaque | int, b: list[int] | set[int], c: Callable[..., Any]) -> None: ...

    given = {"a": "x", "b": ["y"], "c": 3}
    assert bind(act, **given) == given


def test_an_annotation_that_is_not_there_at_run_time_is_no_fault() -> None:
    def act(a: NotImported, context: ActionContext) -> None:  # type: ignore[name-defined]  # noqa: F821
        ...

    assert bind(act, a=1) == {"a": 1, "context": CONTEXT}


def test_a_class_of_the_plan_takes_its_own_instances_only() -> None:
    def act(a: Opaque) -> None: ...

    value = Opaque()
    assert bind(act, a=value) == {"a": value}
    with pytest.raises(BadParameters, match="Expected `Opaque`, got `int`"):
        bind(act, a=1)


def test_pure_paths_keep_their_class() -> None:
    def act(a: PurePosixPath) -> None: ...

    assert type(bind(act, a="x")["a"]) is PurePosixPath


def test_the_context_is_given_by_annotation_or_by_its_name() -> None:
    def by_annotation(ctx: ActionContext, a: int = 1) -> None: ...
    def by_name(context) -> None:  # type: ignore[no-untyped-def]
        ...
    def without(context: str) -> None: ...

    assert bind(by_annotation) == {"ctx": CONTEXT}
    assert bind(by_name) == {"context": CONTEXT}
    assert bind(without, context="mine") == {"context": "mine"}
    with pytest.raises(BadParameters, match="no parameter 'ctx'"):
        bind(by_annotation, ctx=1)


def test_all_faults_are_said_at_once() -> None:
    def act(name: str, size: int, kind: Literal["a", "b"]) -> None: ...

    with pytest.raises(BadParameters) as failure:
        bind(act, nmae="x", size="many", kind="c")
    assert str(failure.value) == (
        "Action 'act': it has no parameter 'nmae'. Did you mean 'name'? the parameter 'name' is "
        "missing. the parameter 'size' does not fit: Expected `int`, got `str`. the parameter "
        "'kind' does not fit: Invalid enum value 'c'."
    )


def test_parameters_by_position_only_cannot_be_filled() -> None:
    def act(a: int, /) -> None: ...

    with pytest.raises(BadParameters, match="by position only"):
        Binder("act", act)


def test_partials_and_callable_objects_are_functions_too() -> None:
    def act(a: int, b: int) -> None: ...

    class Adder:
        def __call__(self, n: int) -> None: ...

    assert bind(functools.partial(act, b=1), a="2") == {"a": 2}
    assert bind(Adder(), n=1) == {"n": 1}
