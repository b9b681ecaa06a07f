"""What a column holds: its type, from a survey of all its cells, and its aggregates.

Imports the standard library only.
"""

from collections import Counter
from typing import Any, Final, Literal, NamedTuple, NotRequired, TypedDict

from ._tallies import Dates, DateTally, Numbers, NumberTally, Texts, TextTally
from ._values import CellKind, Mark, is_missing

Kind = Literal["number", "date", "text", "empty"]

#: A column is of a type if this share of what it holds is of it. What is not, is invalid.
SHARE_OF_TYPE: Final = 0.9
#: From this share of numbers with leading zeros on, a column holds codes, which are text.
SHARE_OF_CODES: Final = 0.01
#: So many of the frequent values are among the figures of a column.
_FREQUENT_FIGURES: Final = 3


class ColumnType(NamedTuple):
    """How the cells of a column are to be read."""

    kind: Kind
    decimal_mark: Mark = "."
    day_first: bool = True


class Aggregates(TypedDict):
    """Everything about one column. Of the last three, the one that the kind calls for is there."""

    name: str
    kind: Kind
    present: int  # cells that hold something of the column's type
    missing: int
    invalid: int  # cells that hold something else
    numbers: NotRequired[Numbers]
    texts: NotRequired[Texts]
    dates: NotRequired[Dates]


def conclude(survey: Counter[CellKind]) -> ColumnType:
    """The type of a column, from how many of its cells are of each kind."""
    present = survey.total() - survey["missing"]
    if present == 0:
        return ColumnType("empty")
    numbers = survey["number"] + survey["number with dot"] + survey["number with comma"]
    dates = survey["date"] + survey["day first"] + survey["month first"]
    if numbers >= SHARE_OF_TYPE * present and survey["code"] <= SHARE_OF_CODES * present:
        comma = survey["number with comma"] > survey["number with dot"]
        return ColumnType("number", decimal_mark="," if comma else ".")
    if dates >= SHARE_OF_TYPE * present:
        return ColumnType("date", day_first=survey["day first"] >= survey["month first"])
    return ColumnType("text")


class Column:
    """Takes the cells of one column, one by one, and gives their aggregates."""

    def __init__(self, name: str, type_: ColumnType) -> None:
        self.name = name
        self.kind: Kind = type_.kind
        self._tally: NumberTally | DateTally | TextTally
        match type_.kind:
            case "number":
                self._tally = NumberTally(type_.decimal_mark)
            case "date":
                self._tally = DateTally(day_first=type_.day_first)
            case "text" | "empty":
                self._tally = TextTally()
        self._missing = 0
        self._invalid = 0

    def add(self, cell: str) -> bool:
        """Counts `cell`; False if it holds something that is not of the column's type."""
        if is_missing(cell):
            self._missing += 1
            return True
        if self._tally.add(cell):
            return True
        self._invalid += 1
        return False

    def aggregates(self) -> Aggregates:
        """What has been counted so far."""
        found = Aggregates(
            name=self.name,
            kind=self.kind,
            present=len(self._tally),
            missing=self._missing,
            invalid=self._invalid,
        )
        if len(self._tally):
            match self._tally:
                case NumberTally() as numbers:
                    found["numbers"] = numbers.summary()
                case DateTally() as dates:
                    found["dates"] = dates.summary()
                case TextTally() as texts:
                    found["texts"] = texts.summary()
        return found


def figures(column: Aggregates) -> dict[str, Any]:
    """The aggregates of a column in a flat form, without what only charts need."""
    flat: dict[str, Any] = {
        "kind": column["kind"],
        "present": column["present"],
        "missing": column["missing"],
        "invalid": column["invalid"],
    }
    if "numbers" in column:
        numbers = column["numbers"]
        extent = {"min": numbers["min"], "max": numbers["max"], "sum": numbers["sum"]}
        flat |= {name: int(value) for name, value in extent.items()} if numbers["whole"] else extent
        flat |= {"mean": numbers["mean"], "median": numbers["median"], "stdev": numbers["stdev"]}
    elif "dates" in column:
        flat |= {"first": column["dates"]["first"], "last": column["dates"]["last"]}
    elif "texts" in column:
        texts = column["texts"]
        frequent = texts["most_frequent"][:_FREQUENT_FIGURES]
        flat["distinct"] = texts["distinct"]
        flat["most_frequent"] = {row["value"]: row["count"] for row in frequent}
    return flat
