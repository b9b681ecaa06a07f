"""The parameters of a step against the function that it calls.

Imports pytest, and aura_aio's engine.
"""

from __future__ import annotations

import enum
import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Protocol,
    TypedDict,
    TypeVar,
    cast,
)
from uuid import UUID

import msgspec
import pydantic
import pytest

from aura_aio import ActionContext
from aura_aio.engine.failures import BadParameters
from aura_aio.engine.parameters import Binder

if TYPE_CHECKING:
    from fractions import Fraction

CONTEXT = cast("ActionContext", object())


class Colour(enum.Enum):
    """A colour."""

    RED = "red"


class Size(enum.Enum):
    """A size."""

    SMALL = enum.auto()
    LARGE = enum.auto()


class Row(TypedDict):
    """A row."""

    id: int
    note: NotRequired[str]


class Place(NamedTuple):
    """A place."""

    name: str
    floor: int = 0


class Item(msgspec.Struct):
    """An item."""

    price: Decimal
    tags: set[str] = set()


class Tree(pydantic.BaseModel):
    """A model."""

    height: int


@dataclass
class Point:
    """A point."""

    x: int
    y: int = 0
    label: str | None = None
    seen: int = field(default=0, init=False)


@dataclass
class Outline:
    """A dataclass that holds others, and itself."""

    points: list[Point]
    around: dict[str, tuple[Point, ...]] = field(default_factory=dict)
    inner: Outline | None = None


class Speaks(Protocol):
    """An interface."""

    def speak(self) -> None: ...


Id = NewType("Id", int)
T = TypeVar("T")


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


def fit(hint: Any, value: Any) -> Any:
    """What an action gets whose parameter `a` has this annotation."""

    def act(a): ...  # type: ignore[no-untyped-def]

    act.__annotations__["a"] = hint
    return bind(act, a=value)["a"]


@pytest.mark.parametrize(
    ("hint", "given", "fitted"),
    [
        (datetime, "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (date, "2026-01-02", date(2026, 1, 2)),
        (time, "03:04:05", time(3, 4, 5)),
        (timedelta, 90, timedelta(seconds=90)),
        (timedelta, "PT1M", timedelta(minutes=1)),
        (Decimal, "0.10", Decimal("0.10")),
        (Decimal, 0.1, Decimal("0.1")),
        (UUID, "00000000-0000-0000-0000-000000000001", UUID(int=1)),
        (Colour, "red", Colour.RED),
        (Colour, "RED", Colour.RED),
        (Size, 2, Size.LARGE),
        (Size, "LARGE", Size.LARGE),
        (Literal["a", 1], 1, 1),
        (int | str, "3", "3"),
        (list[str] | str, ["a", 1], ["a", "1"]),
        (list[str] | str, "a", "a"),
        (int | list[Path] | Point, {"x": 1, "label": 2}, Point(1, label="2")),
        (Id, "3", 3),
        (Annotated[int, "a note"], "3", 3),
        (Path | None, "a", Path("a")),
        (Path | None, None, None),
        (list[Path], ["a"], [Path("a")]),
        (list[str], [1, 2.5, "x"], ["1", "2.5", "x"]),
        (dict[str, str], {"a": 1, "b": "x"}, {"a": "1", "b": "x"}),
        (dict[int, list[str]], {"1": [2]}, {1: ["2"]}),
        (Mapping[str, Point], {"a": {"x": 1}}, {"a": Point(1)}),
        (Sequence[int], ["1"], [1]),
        (set[Colour], ["red", "red"], {Colour.RED}),
        (frozenset[int], [1, 1], frozenset({1})),
        (tuple[int, str], ["1", 2], (1, "2")),
        (tuple[int, ...], ["1", 2], (1, 2)),
        (Point, {"x": "1", "label": 7}, Point(1, label="7")),
        (Place, {"name": 4}, Place("4")),
        (Place, [4, "5"], Place("4", 5)),
        (Row, {"id": "1", "note": 2}, {"id": 1, "note": "2"}),
        (Item, {"price": "1.50", "tags": ["1", 1]}, Item(Decimal("1.50"), {"1"})),
        (Tree, {"height": 3}, Tree(height=3)),
        (
            Outline,
            {"points": [{"x": 1}], "around": {"a": [{"x": 2}]}, "inner": {"points": []}},
            Outline([Point(1)], {"a": (Point(2),)}, Outline([])),
        ),
    ],
    ids=repr,
)
def test_data_becomes_what_the_annotation_asks_for(hint: Any, given: Any, fitted: Any) -> None:
    found = fit(hint, given)
    assert found == fitted
    assert type(found) is type(fitted)


@pytest.mark.parametrize(
    ("hint", "given", "message"),
    [
        (date, "2026-13-01", "'a' does not fit: Invalid RFC3339 encoded date."),
        (UUID, "x", "'a' does not fit: Invalid UUID."),
        (Colour, "blue", "'a' does not fit: Invalid enum value 'blue'."),
        (list[int], [1, "x"], "'a[1]' does not fit: Expected `int`, got `str`."),
        (list[Row], [{"id": 1}, {}], "'a[1]' does not fit: Object missing required field `id`."),
        (Point, {"x": []}, "'a.x' does not fit: Expected `int`, got `array`."),
        (Point, {"x": 1, "z": 2}, "'a' does not fit: There is no field 'z'."),
        (Point | str, {"x": 1, "z": 2}, "'a' does not fit: There is no field 'z'."),
        (
            Outline,
            {"points": [{"x": 1, "lable": 1}]},
            "'a.points[0]' does not fit: There is no field 'lable'. Did you mean 'label'?",
        ),
        (Row, {"id": 1, "nte": 1}, "'a' does not fit: There is no field 'nte'. Did you mean"),
        (Place, {"floor": 1}, "'a' does not fit: Object missing required field `name`."),
        (Place, {"name": 1, "flor": 1}, "There is no field 'flor'. Did you mean 'floor'?"),
        (dict[str, int], {"k": "x"}, "'a[...]' does not fit: Expected `int`, got `str`."),
        (dict[int, int], {"k": 1}, "'a' does not fit: Expected `int`, got `str` - at `key`"),
        (tuple[int, int], [1], "'a' does not fit: Expected `array` of length 2, got 1."),
        (Tree, {"height": "x"}, "height"),
        (set[list[int]], [[1]], "'a' does not fit: unhashable type: 'list'."),
        (Annotated[int, msgspec.Meta(ge=1)], 0, "'a' does not fit: Expected `int` >= 1."),
    ],
    ids=repr,
)
def test_a_misfit_names_the_parameter_and_the_place(hint: Any, given: Any, message: str) -> None:
    with pytest.raises(BadParameters) as failure:
        fit(hint, given)
    assert message in str(failure.value)


@pytest.mark.parametrize(
    "hint",
    [
        Opaque | int,
        list[int] | set[int],
        list[Opaque | int],
        Callable[..., Any],
        Callable[[int], list[Callable[[], int]]],
        Iterable[int],
        list[Iterable[int]],
        os.PathLike,
        os.PathLike[str],
        Speaks,
        list[Speaks],
        T,
        "Missing",
        "not an[",
        7,
        [int],
        object,
        enum.Enum("Float", {"A": 1.5}),
        None | Any,
    ],
    ids=repr,
)
def test_annotations_that_cannot_be_checked_are_left_alone(hint: Any) -> None:
    value = ["x", 3]
    assert fit(hint, value) == value


def test_a_class_that_cannot_be_read_at_run_time_is_left_alone() -> None:
    @dataclass
    class Odd:
        a: Fraction

    value = {"a": 1}
    assert fit(Odd, value) is value


def test_an_annotation_that_is_not_there_at_run_time_leaves_the_others_checked() -> None:
    def act(a: Fraction, b: int, ctx: ActionContext) -> None: ...

    assert bind(act, a="x", b="1") == {"a": "x", "b": 1, "ctx": CONTEXT}


def test_what_goes_wrong_while_a_value_is_made_is_the_plans_own_error() -> None:
    @dataclass
    class Picky:
        a: int

        def __post_init__(self) -> None:
            raise KeyError(self.a)

    with pytest.raises(KeyError):
        fit(Picky, {"a": 1})


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
    def perhaps(context: ActionContext | None = None) -> None: ...
    def without(context: str) -> None: ...

    assert bind(perhaps) == {"context": CONTEXT}
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
