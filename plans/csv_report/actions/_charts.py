"""The charts of a report: one of the whole table, one for each column. Standard library only."""

from math import ceil
from typing import Final

from ._columns import Aggregates
from ._histogram import Bin, round_step
from ._numbers import share, short, written
from ._profile import Profile
from ._svg import LETTER_WIDTH, Picture, fit
from ._tallies import Count

_WIDTH: Final = 720
_MARGIN: Final = 24
_TITLE_HEIGHT: Final = 52
_ROW_HEIGHT: Final = 24
_PLOT_HEIGHT: Final = 200
_LABEL_WIDTH: Final = 190
_VALUE_WIDTH: Final = 96
#: Of a very wide table the first columns are drawn.
_MOST_ROWS: Final = 40
_PERIODS: Final = 60


def completeness_chart(profile: Profile) -> str:
    """For each column: which share of its cells is valid, missing, invalid."""
    columns = profile["columns"][:_MOST_ROWS]
    picture = Picture(
        _WIDTH,
        _TITLE_HEIGHT + _ROW_HEIGHT * len(columns) + 44,
        "Completeness by column",
        "For each column the share of valid, missing and invalid cells.",
    )
    picture.text(_MARGIN, 32, "Completeness by column", "title")
    room = _WIDTH - 2 * _MARGIN - _LABEL_WIDTH - _VALUE_WIDTH
    for index, column in enumerate(columns):
        y = _TITLE_HEIGHT + _ROW_HEIGHT * index
        _label(picture, y, column["name"])
        total = column["present"] + column["missing"] + column["invalid"]
        x = float(_MARGIN + _LABEL_WIDTH)
        for look, name, count in _parts(column):
            length = room * count / total if total else 0.0
            if count:
                tip = f"{column['name']}: {count:,} {name}"
                picture.rectangle(x, y + 4, max(1.0, length), _ROW_HEIGHT - 8, look, tip)
            x += length
        picture.text(_WIDTH - _MARGIN, y + 16, share(column["present"], total), anchor="end")
    _legend(picture, _TITLE_HEIGHT + _ROW_HEIGHT * len(columns) + 24)
    return picture.render()


def column_chart(column: Aggregates) -> str:
    """What the column holds: how its numbers spread, its frequent values, or its dates by period.

    "" if there is nothing to draw: a column without values.
    """
    if "numbers" in column:
        return _histogram_chart(column["name"], column["numbers"]["bins"], column["present"])
    if "dates" in column:
        return _period_chart(column["name"], column["dates"]["per_period"])
    if "texts" in column:
        return _value_chart(column["name"], column["texts"]["most_frequent"], column["present"])
    return ""


def _parts(column: Aggregates) -> tuple[tuple[str, str, int], ...]:
    return (
        ("good", "valid", column["present"]),
        ("gap", "missing", column["missing"]),
        ("bad", "invalid", column["invalid"]),
    )


def _legend(picture: Picture, y: float) -> None:
    x = _MARGIN + _LABEL_WIDTH
    for look, name in (("good", "valid"), ("gap", "missing"), ("bad", "invalid")):
        picture.rectangle(x, y - 9, 10, 10, look)
        picture.text(x + 16, y, name)
        x += 90


def _label(picture: Picture, y: float, text: str) -> None:
    end = _MARGIN + _LABEL_WIDTH - 10
    picture.text(end, y + 16, fit(text, _LABEL_WIDTH - 10), "label", anchor="end")


def _value_chart(name: str, values: list[Count], total: int) -> str:
    """Horizontal bars: the most frequent values."""
    title = f"{fit(name, 400)}: most frequent values"
    height = _TITLE_HEIGHT + _ROW_HEIGHT * len(values) + 16
    picture = Picture(_WIDTH, height, title, f"Bars for the most frequent values of {name}.")
    picture.text(_MARGIN, 32, title, "title")
    room = _WIDTH - 2 * _MARGIN - _LABEL_WIDTH - _VALUE_WIDTH
    most = max(value["count"] for value in values)
    for index, value in enumerate(values):
        y = _TITLE_HEIGHT + _ROW_HEIGHT * index
        _label(picture, y, value["value"])
        x, length = _MARGIN + _LABEL_WIDTH, room * value["count"] / most
        tip = f"{value['value']}: {value['count']:,} of {total:,}"
        picture.rectangle(x, y + 4, max(1.0, length), _ROW_HEIGHT - 8, "bar", tip)
        amount = f"{short(value['count'])} · {share(value['count'], total)}"
        picture.text(_WIDTH - _MARGIN, y + 16, amount, anchor="end")
    return picture.render()


def _histogram_chart(name: str, bins: list[Bin], present: int) -> str:
    left_out = present - sum(bin_["count"] for bin_ in bins)
    note = f" ({left_out:,} far out are not drawn)" if left_out else ""
    title = f"{fit(name, 300)}: how the values spread{note}"
    bars = [(_span(bin_), bin_["count"]) for bin_ in bins]
    if all(bin_["start"] == bin_["end"] for bin_ in bins):
        return _bar_chart(title, bars, [short(bin_["start"]) for bin_ in bins], 0.5)
    edges = [short(edge) for edge in (*(bin_["start"] for bin_ in bins), bins[-1]["end"])]
    return _bar_chart(title, bars, edges, 0.0)


def _span(bin_: Bin) -> str:
    start, end = written(bin_["start"]), written(bin_["end"])
    return start if start == end else f"{start} to {end}"


def _period_chart(name: str, periods: list[Count]) -> str:
    """One bar per period, or per a few of them where there are more than fit."""
    size = ceil(len(periods) / _PERIODS)
    groups = [periods[start : start + size] for start in range(0, len(periods), size)]
    bars = [
        (
            group[0]["value"] + (f" to {group[-1]['value']}" if len(group) > 1 else ""),
            sum(period["count"] for period in group),
        )
        for group in groups
    ]
    labels = [group[0]["value"] for group in groups]
    return _bar_chart(f"{fit(name, 400)}: rows over time", bars, labels, 0.5)


def _bar_chart(title: str, bars: list[tuple[str, int]], labels: list[str], shift: float) -> str:
    """Vertical bars. Labels stand below them, `shift` bars to the right of each bar's left edge."""
    picture = Picture(_WIDTH, _TITLE_HEIGHT + _PLOT_HEIGHT + 40, title, f"A bar chart: {title}.")
    picture.text(_MARGIN, 32, title, "title")
    left, right = _MARGIN + 46.0, float(_WIDTH - _MARGIN)
    foot = float(_TITLE_HEIGHT + _PLOT_HEIGHT)
    top = _draw_scale(picture, max(count for _, count in bars), left, right, foot)
    slot = (right - left) / len(bars)
    for index, (meaning, count) in enumerate(bars):
        height = _PLOT_HEIGHT * count / top
        x, width = left + slot * index, max(1.0, slot - min(3.0, slot / 4))
        if count:
            tip = f"{meaning}: {count:,}"
            picture.rectangle(x, foot - max(1.0, height), width, max(1.0, height), "bar", tip)
    longest = max(len(label) for label in labels) * LETTER_WIDTH + 14
    every = max(1, ceil(longest / slot))
    for index in range(0, len(labels), every):
        picture.text(left + slot * (index + shift), foot + 20, labels[index], anchor="middle")
    return picture.render()


def _draw_scale(picture: Picture, most: int, left: float, right: float, foot: float) -> float:
    """Draws a grid of round numbers of rows, and returns the number at its top."""
    step = ceil(round_step(max(most, 1) / 4))
    lines = ceil(max(most, 1) / step)
    for number in range(lines + 1):
        y = foot - _PLOT_HEIGHT * number / lines
        picture.line(left, y, right, y)
        picture.text(left - 8, y + 4, short(step * number), anchor="end")
    return step * lines
