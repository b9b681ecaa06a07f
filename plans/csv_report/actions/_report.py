"""A report's folder: which file is called what, and writing them. Standard library only."""

import re
from pathlib import Path
from typing import Final

from ._charts import column_chart, completeness_chart
from ._markdown import report
from ._profile import Profile

_UNSAFE: Final = re.compile(r"[^a-z0-9]+")


def slug(name: str, number: int = 0) -> str:
    """A file name made of `name`'s plain letters and digits, after `number` if it is not 0."""
    plain = _UNSAFE.sub("-", name.lower()).strip("-")[:40].strip("-")
    return "-".join(part for part in (f"{number:02}" if number else "", plain) if part) or "report"


def write_charts(profile: Profile, folder: Path, most: int) -> dict[str, str]:
    """Writes the charts below `folder`: of the whole table, and of the first `most` columns.

    Returns each picture's path relative to `folder`, by its column's name; the whole table's is "".
    """
    charts: dict[str, str] = {}
    if not profile["rows"] or not most:
        return charts
    (folder / "charts").mkdir(parents=True, exist_ok=True)
    charts[""] = _write(folder, "charts/00-completeness.svg", completeness_chart(profile))
    for number, column in enumerate(profile["columns"], 1):
        drawing = column_chart(column) if len(charts) <= most else ""
        if drawing:
            name = f"charts/{slug(column['name'], number)}.svg"
            charts[column["name"]] = _write(folder, name, drawing)
    return charts


def write_report(profile: Profile, folder: Path, charts: dict[str, str]) -> Path:
    """Writes report.md into `folder`, in place of one that stands there. Returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    title = f"Report on {Path(profile['format']['path']).name}"
    return folder / _write(folder, "report.md", report(profile, title, charts))


def _write(folder: Path, name: str, text: str) -> str:
    """Writes the file as a whole: who reads it meanwhile sees the old one or the new one."""
    target = folder / name
    unfinished = target.with_name(f".{target.name}.new")
    unfinished.write_text(text, encoding="utf-8", newline="\n", errors="replace")
    unfinished.replace(target)
    return name
