"""The pins: every package that comes with the project has one, and none other, or an address.

Imports packaging only.
"""

import re
import tomllib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]


SDKS = REPOSITORY / "scripts" / "sdks"
AUDIT = REPOSITORY / "scripts" / "audit"
PEERS = REPOSITORY / "scripts" / "benchmarks" / "peers"
BUILDING = "# Only while building"  # below it stand pins of what no installed package asks for


def pins(folder: Path = REPOSITORY, name: str = "constraints.txt") -> list[str]:
    lines = (folder / name).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def needed() -> set[str]:
    """What the project and its development need, and what that needs in turn, on this system."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    listed = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    waiting = [each for each in listed if _is_for_this_system(each)]
    found: set[tuple[str, str]] = set()
    while waiting:
        requirement = Requirement(waiting.pop())
        for extra in ("", *requirement.extras):
            key = canonicalize_name(requirement.name), extra
            if key in found:
                continue
            found.add(key)
            for further in requires(requirement.name) or []:
                marker = Requirement(further).marker
                if marker is None or marker.evaluate({"extra": extra}):
                    waiting.append(further)
    return {name for name, _ in found}


def _is_for_this_system(text: str) -> bool:
    marker = Requirement(text).marker
    return marker is None or marker.evaluate()


def test_every_package_that_is_needed_has_a_pin() -> None:
    pinned = {canonicalize_name(pin.partition("==")[0]) for pin in pins()}
    missing = needed() - pinned - {"hatchling"}  # pinned by pyproject.toml, as the build backend
    assert not missing, f"add the versions of {sorted(missing)} to constraints.txt"


def needed_somewhere() -> set[str]:
    """The same on any system: what is not installed here needs nothing as far as one can tell."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    waiting = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    found: set[str] = set()
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        if name in found and not requirement.extras:
            continue
        found.add(name)
        with suppress(PackageNotFoundError):
            waiting += [
                further
                for further in requires(name) or []
                if "extra ==" not in further or requirement.extras
            ]
    return found


def test_no_pin_is_left_over() -> None:
    """What nothing needs any more would be looked after, and trusted, for nothing."""
    lines, _, building = (REPOSITORY / "constraints.txt").read_text("utf-8").partition(BUILDING)
    assert building
    pinned = {canonicalize_name(pin) for pin in re.findall(r"^([\w.-]+)==", lines, re.MULTILINE)}
    assert pinned - needed_somewhere() == set(), "take these out of constraints.txt"


def test_every_library_of_the_server_has_its_reason() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    names = {Requirement(each).name.lower() for each in project["dependencies"]}
    reasons = (REPOSITORY / "docs" / "decisions" / "0002-libraries.md").read_text("utf-8").lower()
    assert [name for name in sorted(names) if name not in reasons] == []


def test_every_pin_is_a_name_and_a_version_and_nothing_else() -> None:
    listed = [*pins(), *pins(SDKS), *pins(AUDIT)]
    listed += chain.from_iterable(pins(PEERS, file.name) for file in PEERS.glob("*.txt"))
    wrong = [pin for pin in listed if not re.fullmatch(r"[\w.-]+==\d[\w.]*", pin)]
    assert not wrong, "constraints.txt says which version, never where it comes from"
    linters = [REPOSITORY / "scripts" / name for name in ("redocly", "axe", "tsc")]
    for folder in (*linters, SDKS):
        lock = (folder / "package-lock.json").read_text("utf-8")
        assert "resolved" not in lock, "npm writes addresses unless told not to: see decision 0029"
