"""The JSON file of results, and under which conditions they came about.

Imports the standard library, msgspec and `benchmarks.results`.
"""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.results import Conditions, Result


def conditions() -> Conditions:
    """As they are now."""
    return Conditions(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=f"{platform.system()} {platform.machine()}",
        cores=os.cpu_count() or 1,
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else 0.0,
    )


def read(file: Path) -> tuple[Result, ...]:
    """The results of `file`; none if there is no such file.

    Raises:
        msgspec.ValidationError: it holds something else.
    """
    if not file.is_file():
        return ()
    return msgspec.json.decode(file.read_bytes(), type=tuple[Result, ...])


def merged(earlier: Sequence[Result], new: Sequence[Result]) -> tuple[Result, ...]:
    """`new` in place of what `earlier` has of the same scenarios; scenarios keep their places."""
    of: dict[str, list[Result]] = {result.scenario: [] for result in (*earlier, *new)}
    measured = {result.scenario for result in new}
    for result in (*(each for each in earlier if each.scenario not in measured), *new):
        of[result.scenario].append(result)
    return tuple(result for results in of.values() for result in results)


def write(file: Path, results: Sequence[Result]) -> None:
    """Put `results` into `file`, for people to read as well."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
