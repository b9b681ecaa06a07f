"""What the machine and the installation are like: Python, libraries, open files.

May import `doctor.findings`, packaging and the standard library only.
"""

import platform
import sqlite3
import sys
from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from aura_aio.doctor.findings import Finding, ok, warning, wrong

if sys.platform != "win32":
    import resource

_PACKAGE = "aura-aio"
_FEW_FILES = 4_096


def findings() -> list[Finding]:
    """All of them."""
    return [_python(), _libraries(), _open_files()]


def _python() -> Finding:
    found = platform.python_version()
    detail = f"Python {found} with SQLite {sqlite3.sqlite_version}"
    try:
        wanted = metadata.metadata(_PACKAGE)["Requires-Python"]
    except metadata.PackageNotFoundError:
        wanted = ""
    if wanted and not SpecifierSet(wanted).contains(found, prereleases=True):
        return wrong("python", f"{detail}; Aura needs {wanted}", "Install it for another Python.")
    return ok("python", detail)


def _libraries() -> Finding:
    try:
        wanted = map(Requirement, metadata.requires(_PACKAGE) or ())
        version = metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError:
        return warning(
            "libraries",
            "Aura is not installed as a package, so what it needs is not known.",
            "pip install aura-aio",
        )
    needed = [each for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
    faults = [fault for each in needed if (fault := _fault_of(each))]
    if faults:
        return wrong("libraries", "; ".join(faults), f"pip install '{_PACKAGE}=={version}'")
    return ok("libraries", f"aura-aio {version}, {len(needed)} libraries as it needs them")


def _fault_of(needed: Requirement) -> str:
    try:
        found = metadata.version(needed.name)
    except metadata.PackageNotFoundError:
        return f"{needed.name} is missing"
    if needed.specifier.contains(found, prereleases=True):
        return ""
    return f"{needed.name} is {found}, and must be {needed.specifier}"


def _open_files() -> Finding:
    if sys.platform == "win32":
        return ok("open files", "this system has no limit")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return ok("open files", "without limit")
    if hard < _FEW_FILES:
        return warning(
            "open files",
            f"{hard:,} at the most: each client and each log monitor is one",
            "Raise the hard limit: ulimit -Hn, or LimitNOFILE= of the service.",
        )
    return ok("open files", f"{hard:,} at the most")
