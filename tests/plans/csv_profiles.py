"""Profiles of CSV files for the tests.

Imports the plan csv_report's own modules.
"""

from pathlib import Path

from plans.csv_report.actions._columns import Aggregates
from plans.csv_report.actions._dialect import Wishes, detect_format
from plans.csv_report.actions._profile import Profile, read_profile


def profile_at(path: Path, wishes: Wishes | None = None) -> Profile:
    """The profile of a file that is there."""
    return read_profile(detect_format(path, wishes or Wishes()), lambda _: None)


def profile_of(folder: Path, content: str | bytes, wishes: Wishes | None = None) -> Profile:
    """The profile of a file with that content, which is written into `folder`."""
    path = folder / "file.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return profile_at(path, wishes)


def column_of(profile: Profile, name: str) -> Aggregates:
    """The column of that name."""
    return next(column for column in profile["columns"] if column["name"] == name)
