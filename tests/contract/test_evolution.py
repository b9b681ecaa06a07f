"""The contract against the one of the last release: what it breaks must be announced.

Imports pytest, yaml, aura_aio.contract and `evolution`. The contracts of releases stand in
`released/`, one file each, put there when a release is made (CONTRIBUTING.md).
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from aura_aio.contract.document import Contract, load_contract, view
from aura_aio.contract.reading import read_yaml
from tests.contract.evolution.documents import Break, breaks
from tests.contract.test_bad_documents import GOOD, patched

HERE = Path(__file__).parent
RELEASED = HERE / "released"
CHANGELOG = (HERE.parents[1] / "CHANGELOG.md").read_text("utf-8")
CHANGES = yaml.safe_load((HERE / "evolution" / "changes.yaml").read_text("utf-8"))


def test_what_breaks_the_last_release_is_announced() -> None:
    """Under `### Breaking` of what is unreleased, by the operation or component in backticks."""
    before = last_released()
    if before is None:
        assert releases(CHANGELOG) == [], "a release without its contract in released/"
        return
    unsaid = unannounced(breaks(before, load_contract()), CHANGELOG)
    assert unsaid == [], "say under '## Unreleased', '### Breaking' in CHANGELOG.md what breaks"


def test_every_release_has_kept_its_contract() -> None:
    kept = {path.stem.removeprefix("openapi-") for path in RELEASED.glob("openapi-*.yaml")}
    assert kept == set(releases(CHANGELOG))


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change["what"])
def test_what_a_change_breaks_is_found(change: dict[str, Any]) -> None:
    before = patched(read_yaml(GOOD.read_bytes(), "good.yaml"), change.get("before", {}))
    found = breaks(view(before, b""), view(patched(before, change["patch"]), b""))
    assert [f"{each.subject}: {each.what}" for each in found] == change["breaks"]


def test_the_contract_breaks_nothing_of_itself_and_its_opposite_does() -> None:
    """All that there is, taken away: nothing in the document is out of sight."""
    contract = load_contract()
    assert breaks(contract, contract) == []
    empty = view({**contract.as_dict(), "paths": {}}, b"")
    assert len(breaks(contract, empty)) == len(contract.operations)


def test_a_break_is_announced_by_its_name_in_the_right_place() -> None:
    found = [Break("makeThing", "the operation is gone"), Break("Part", "kind is gone")]
    changelog = "# Changelog\n\n## Unreleased\n\n### Breaking\n\n- `makeThing` is gone.\n"
    later = "\n### Added\n\n- `Part`.\n\n## 1.0.0\n\n### Breaking\n\n- `Part`.\n"
    assert unannounced(found, changelog + later) == found[1:]
    assert unannounced(found, changelog + "- `Part.kind` is gone.\n" + later) == []
    assert unannounced(found, "## 1.0.0\n") == found


def test_releases_are_read_from_the_changelog() -> None:
    assert releases("## Unreleased\n\n## 1.10.0\n\n## 1.9.1 (2027-01-01)\n") == ["1.10.0", "1.9.1"]


def releases(changelog: str) -> list[str]:
    """The versions that were released, the newest first."""
    return re.findall(r"^## (\d+\.\d+\.\d+)", changelog, re.MULTILINE)


def last_released() -> Contract | None:
    """The contract of the last release; None when there was none yet."""
    found = releases(CHANGELOG)
    return load_contract(RELEASED / f"openapi-{found[0]}.yaml") if found else None


def unannounced(found: list[Break], changelog: str) -> list[Break]:
    """Those that the changelog does not name where it says what breaks in the next release."""
    unreleased = re.search(r"^## Unreleased\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    text = unreleased[1] if unreleased else ""
    breaking = re.search(r"^### Breaking\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"`(\w+)[^`]*`", breaking[1])) if breaking else set()
    return [each for each in found if each.subject not in named]
