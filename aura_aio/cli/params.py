"""Kinds of values that options and arguments of several commands take.

May import click, the model's clock and the standard library.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import click

from aura_aio.model.clock import SystemClock, rfc3339

_AGO: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Whole(click.IntRange):
    """A whole number within bounds. (click would call its kind "integer range" in messages.)"""

    name = "integer"


class Number(click.FloatRange):
    """A number within bounds."""

    name = "number"


class Moment(click.ParamType[str]):
    """A time: ISO 8601, local unless it says otherwise; or so long ago, like `90s 15m 2h 3d`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """`value` in RFC 3339, UTC."""
        if ago := _AGO.fullmatch(value):
            span = timedelta(**{_UNITS[ago[2]]: float(ago[1])})
            return rfc3339(SystemClock().now() - span.total_seconds())
        try:
            return rfc3339(datetime.fromisoformat(value).timestamp())
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time like 2026-03-02T12:15, and none like 2h (ago)")


class Span(click.ParamType[float]):
    """A time span, like `90s 15m 12h 30d`."""

    name = "span"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """`value` in seconds."""
        if isinstance(value, float):
            return value
        if (span := _AGO.fullmatch(value)) is None:
            self.fail(f"{value!r} is no span like 90s, 15m, 12h or 30d")
        return timedelta(**{_UNITS[span[2]]: float(span[1])}).total_seconds()


class Label(click.ParamType[str]):
    """A label, `key=value`."""

    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """`value` itself."""
        key, equals, _ = value.partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not key=value")
        return str(value)


class Level(click.Choice[str]):
    """A level of the log; `warn` is what many programs call `warning`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The level's word on the wire."""
        meant = "warning" if str(value).lower() == "warn" else value
        return str(super().convert(meant, param, ctx))


MOMENT: Final = Moment()
SPAN: Final = Span()
LABEL: Final = Label()


def labels_of(pairs: Iterable[str]) -> dict[str, str]:
    """The labels that `pairs` of `key=value` spell."""
    return dict(pair.split("=", 1) for pair in pairs)
