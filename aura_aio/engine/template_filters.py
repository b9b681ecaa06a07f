"""The filters and tests of task templates: those that differ from Jinja2's, and bounds for all.

May import jinja2, model.json, and of `engine` `template_bounds` and `template_weights`.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from types import NoneType
from typing import Any, Final

from jinja2 import Undefined, filters, pass_environment
from jinja2.environment import Environment
from jinja2.exceptions import SecurityError

from aura_aio.engine.template_bounds import (
    JOINED,
    TURN,
    WORK_PER_SEC,
    Budget,
    check_size,
    check_width,
    formatted,
    joined,
    replaced,
    text_of,
)
from aura_aio.engine.template_weights import weigh
from aura_aio.model import json

_TRIFLES: Final = frozenset(
    {
        "attr", "boolean", "callable", "count", "d", "default", "defined", "divisibleby", "even",
        "false", "filter", "first", "float", "integer", "items", "iterable", "last", "length",
        "mapping", "none", "number", "odd", "random", "safe", "sameas", "sequence", "test", "true",
        "undefined",
    }
)  # fmt: skip
"""What does not look at all of what it is given."""
_SMALL: Final = frozenset({int, float, bool, NoneType})
_SHALLOW: Final = frozenset(
    {
        "batch", "list", "map", "reject", "rejectattr", "reverse", "select", "selectattr", "slice",
    }
)  # fmt: skip
"""What looks at each element, but not into it."""
_SORTING: Final = frozenset({"dictsort", "groupby", "max", "min", "sort", "unique"})
_COSTLY: Final = {
    "join": 16 * JOINED, "striptags": 192, "title": 512, "urlencode": 512, "wordcount": 192,
}  # fmt: skip
"""How many times longer than others these take for a text."""
_MOST_WORK: Final = 5 * WORK_PER_SEC
"""No rendering may do more: the setting goes to five seconds."""


def _default(value: Any, default_value: Any = "", boolean: bool = False) -> Any:
    """An input that was not given is None, so None counts as missing here."""
    if value is None or isinstance(value, Undefined) or (boolean and not value):
        return default_value
    return value


def _center(value: str, width: int = 80) -> str:
    check_width(width)
    return text_of(value).center(width)


def _indent(s: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    text = text_of(s)
    size = width if isinstance(width, int) else len(width)
    check_size(len(text) + size * (text.count("\n") + 1))
    return filters.do_indent(text, width, first, blank)


def _slice(value: Iterable[Any], slices: int, fill_with: Any = None) -> Iterator[list[Any]]:
    check_width(slices)
    return filters.sync_do_slice(value, slices, fill_with)  # type: ignore[arg-type]


def _batch(value: Iterable[Any], linecount: int, fill_with: Any = None) -> Iterator[list[Any]]:
    check_width(linecount)
    return filters.do_batch(value, linecount, fill_with)


def _round(value: float, precision: int = 0, method: Any = "common") -> float:
    if abs(precision) > 300:
        raise SecurityError("The template rounds to more than 300 digits.")
    return filters.do_round(value, precision, method)


@pass_environment
def _join(
    environment: Environment, value: Iterable[Any], d: str = "", attribute: str | None = None
) -> str:
    if attribute is not None:
        value = map(filters.make_attrgetter(environment, attribute), value)
    return joined(value, str(d))


@pass_environment
def _sum(
    environment: Environment,
    iterable: Iterable[Any],
    attribute: str | int | None = None,
    start: float = 0,
) -> Any:
    if not isinstance(start, (int, float)):
        raise SecurityError("The filter 'sum' adds numbers only.")
    return filters.sync_do_sum(environment, iterable, attribute, start)


def _replace(s: str, old: str, new: str, count: int | None = None) -> str:
    return replaced(text_of(s), str(old), str(new), -1 if count is None else count)


def _format(value: str, *args: Any, **kwargs: Any) -> str:
    if args and kwargs:
        raise SecurityError("The filter 'format' takes values by place or by name, not both.")
    return formatted(str(value), kwargs or args)


def _tojson(value: Any) -> str:
    return json.dumps(value).decode()


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "default": _default,
    "d": _default,
    "center": _center,
    "indent": _indent,
    "slice": _slice,
    "batch": _batch,
    "round": _round,
    "join": _join,
    "sum": _sum,
    "replace": _replace,
    "format": _format,
    "tojson": _tojson,
    "string": text_of,
}


def bounded(
    name: str, function: Callable[..., Any], budget: Callable[[], Budget]
) -> Callable[..., Any]:
    """The filter or test `function` within the budget of the rendering that uses it."""
    cost = _cost_of(name)
    sorts = name in _SORTING

    @functools.wraps(function)
    def within(*args: Any, **kwargs: Any) -> Any:
        now = budget()
        if sorts:  # of what comes one by one it must be known how much there is to sort
            args = tuple(list(arg) if isinstance(arg, Iterator) else arg for arg in args)
        units = TURN
        for arg in (*args, *kwargs.values()) if kwargs else args:
            if type(arg) not in _SMALL:
                units += cost(arg)
        now.spend(units)
        made = function(*args, **kwargs)
        return made if type(made) is bool else now.made(made)

    return within


def _cost_of(name: str) -> Callable[[Any], int]:
    """What gives the units of work that an argument of a filter or test costs."""
    if name in _TRIFLES:
        return _nothing
    if name in _SHALLOW:
        return _length
    if name in _SORTING:
        return _to_sort
    return functools.partial(_all_of, _COSTLY.get(name, 1))


def _nothing(_value: Any) -> int:
    return 1


def _length(value: Any) -> int:
    return len(value) if isinstance(value, (str, list, tuple, dict, range)) else 1


def _all_of(times: int, value: Any) -> int:
    if isinstance(value, str):
        return times * len(value) // 16
    if isinstance(value, (list, tuple, dict)):
        weight = weigh(value)
        check_size(weight.values + weight.characters, "a value")
        return max(1, times // 16) * weight.units
    return _length(value)


def _to_sort(value: Any) -> int:
    count = _length(value)
    units = 4 * count * count.bit_length()
    return units if units > _MOST_WORK else units + _all_of(1, value)
