"""The filters of task templates that differ from Jinja2's: bounded, or made for plain data.

May import jinja2, model.json and `engine.template_bounds`.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from jinja2 import Undefined, filters, pass_environment
from jinja2.environment import Environment
from jinja2.exceptions import SecurityError

from aura_aio.engine.template_bounds import (
    check_format,
    check_size,
    check_width,
    joined,
    replaced,
    text_of,
    weigh,
)
from aura_aio.model import json


def _default(value: Any, default_value: Any = "", boolean: bool = False) -> Any:
    """An input that was not given is None, so None counts as missing here."""
    if value is None or isinstance(value, Undefined) or (boolean and not value):
        return default_value
    return value


def _center(value: str, width: int = 80) -> str:
    check_width(width)
    return text_of(value).center(width)


def _indent(s: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    size = width if isinstance(width, int) else len(width)
    check_size(len(s) + size * (s.count("\n") + 1))
    return filters.do_indent(s, width, first, blank)


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
    values = kwargs or args
    check_format(value, values)
    return str(value) % values


def _tojson(value: Any) -> str:
    weigh(value)
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
