"""Writes a profile as a report in Markdown. Imports the standard library only."""

import re
from typing import Final

from ._columns import Aggregates
from ._dialect import ONE_COLUMN, Format
from ._numbers import share, written
from ._profile import Profile
from ._tallies import Dates, Numbers, Texts

_DELIMITER_NAMES: Final = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "vertical bar",
    ONE_COLUMN: "none (one column)",
}
#: An underscore within a word is an ordinary character.
_SPECIAL: Final = re.compile(r"[\\`*{}\[\]<>|~&$#]|(?<![^\W_])_|_(?![^\W_])")
_LONGEST_CELL: Final = 80


def report(profile: Profile, title: str, charts: dict[str, str]) -> str:
    """The report. `charts` names the picture of each column by the column's name, and "" the first.

    Text from the file is escaped: it can't become a table's edge, a picture, or HTML.
    """
    parts = [
        f"# {escaped(title)}",
        _overview(profile),
        _image("Completeness by column", charts, ""),
    ]
    if profile["columns"]:
        parts += ["## Columns", _column_table(profile["columns"])]
    parts += ["## Problems", _problem_text(profile)]
    for number, column in enumerate(profile["columns"], 1):
        parts.append(f"## {number}. {escaped(column['name'])}")
        parts.append(_details(column))
        parts.append(_image(f"Chart of {column['name']}", charts, column["name"]))
    return "\n\n".join(part for part in parts if part) + "\n"


def escaped(text: str) -> str:
    """`text` on one line, cut to `_LONGEST_CELL` characters, without a meaning in Markdown."""
    line = " ".join(text.split())
    line = line if len(line) <= _LONGEST_CELL else line[:_LONGEST_CELL] + "…"
    return _SPECIAL.sub(r"\\\g<0>", "".join(letter for letter in line if letter.isprintable()))


def table(header: list[str], rows: list[list[str]], *, numbers_from: int) -> str:
    """A Markdown table of cells that are escaped already; columns from there on stand right."""
    rule = ["---" if index < numbers_from else "---:" for index in range(len(header))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *rows))


def _overview(profile: Profile) -> str:
    source, rows = profile["format"], profile["rows"]
    facts = [
        ["File", escaped(source["path"])],
        ["Size", f"{source['size_bytes']:,} bytes"],
        ["Written as", _written_as(source)],
        ["Rows", f"{rows:,}"],
        ["Valid rows", f"{profile['valid_rows']:,} ({share(profile['valid_rows'], rows)})"],
        ["Columns", f"{len(profile['columns']):,}"],
    ]
    return table(["", ""], facts, numbers_from=2)


def _written_as(source: Format) -> str:
    delimiter = _DELIMITER_NAMES.get(source["delimiter"], repr(source["delimiter"]))
    header = "with" if source["has_header"] else "without"
    skipped = f", {source['skip_lines']} lines above the table" if source["skip_lines"] else ""
    return f"{source['encoding']}, delimiter: {escaped(delimiter)}, {header} a header{skipped}"


def _column_table(columns: list[Aggregates]) -> str:
    rows = [
        [
            escaped(column["name"]),
            column["kind"],
            _in_short(column),
            f"{column['present']:,}",
            f"{column['missing']:,}",
            f"{column['invalid']:,}",
        ]
        for column in columns
    ]
    header = ["Column", "Type", "In short", "Present", "Missing", "Invalid"]
    return table(header, rows, numbers_from=3)


def _in_short(column: Aggregates) -> str:
    if "numbers" in column:
        numbers = column["numbers"]
        return f"{written(numbers['min'])} to {written(numbers['max'])}"
    if "dates" in column:
        return f"{column['dates']['first']} to {column['dates']['last']}"
    if "texts" in column:
        return f"{_distinct(column['texts'])} different"
    return "nothing"


def _distinct(texts: Texts) -> str:
    return ("" if texts["distinct_is_exact"] else "more than ") + f"{texts['distinct']:,}"


def _problem_text(profile: Profile) -> str:
    counts = sorted(profile["problem_counts"].items(), key=lambda item: -item[1])
    if not counts:
        return "None." if profile["rows"] else "The file holds no rows."
    counted = table(["Problem", "Count"], [[k, f"{n:,}"] for k, n in counts], numbers_from=1)
    rows = [
        [
            f"{problem['line']:,}" if problem["line"] else "",
            escaped(problem["column"]),
            problem["kind"],
            escaped(problem["detail"]),
        ]
        for problem in profile["problems"]
    ]
    examples = table(["Line", "Column", "Problem", "Found"], rows, numbers_from=4)
    return f"{counted}\n\nThe first of each kind:\n\n{examples}"


def _details(column: Aggregates) -> str:
    if "numbers" in column:
        return _number_table(column["numbers"])
    if "dates" in column:
        return _date_table(column["dates"])
    if "texts" in column:
        return _text_table(column["texts"], column["present"])
    return "No row has a value here."


def _number_table(numbers: Numbers) -> str:
    names = ["Min", "Median", "Mean", "Max", "Standard deviation", "Sum"]
    figures = [numbers["min"], numbers["median"], numbers["mean"], numbers["max"]]
    stdev = "" if numbers["stdev"] is None else written(numbers["stdev"])
    row = [*(written(figure) for figure in figures), stdev, written(numbers["sum"])]
    return table(names, [row], numbers_from=0)


def _date_table(dates: Dates) -> str:
    return table(["First", "Last"], [[dates["first"], dates["last"]]], numbers_from=2)


def _text_table(texts: Texts, present: int) -> str:
    rows = [
        [escaped(value["value"]), f"{value['count']:,}", share(value["count"], present)]
        for value in texts["most_frequent"]
    ]
    heading = (
        f"{_distinct(texts)} different values; the longest has {texts['longest']:,} characters."
    )
    return f"{heading}\n\n{table(['Most frequent', 'Count', 'Share'], rows, numbers_from=1)}"


def _image(words: str, charts: dict[str, str], name: str) -> str:
    return f"![{escaped(words)}]({charts[name]})" if name in charts else ""
