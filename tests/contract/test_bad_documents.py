"""Broken contracts stop the start, with a message that names each fault and its place.

Imports pytest, yaml and aura_aio.contract only.
"""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from aura_aio.contract.checks import check
from aura_aio.contract.document import load_contract
from aura_aio.contract.reading import read_yaml
from aura_aio.model.errors import ContractError

FOLDER = Path(__file__).parent / "bad_documents"
GOOD = FOLDER / "good.yaml"
BAD = sorted(path for path in FOLDER.glob("*.yaml") if path != GOOD)


def patched(target: Any, patch: Any) -> Any:
    """JSON Merge Patch, RFC 7386: null takes out, objects are merged, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = patched(result.get(key), value)
    return result


def test_the_good_document_is_good() -> None:
    """What the bad ones are made from has no fault of its own."""
    contract = load_contract(GOOD)
    assert [each.operation_id for each in contract.operations] == ["listParts", "makeThing"]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_document_is_refused(path: Path, tmp_path: Path) -> None:
    """The message holds exactly the faults that the file promises."""
    case = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    text = case.get("text")
    if text is None:
        good = read_yaml(GOOD.read_bytes(), "good.yaml")
        text = yaml.dump(
            patched(copy.deepcopy(good), case["patch"]), Dumper=yaml.CSafeDumper, sort_keys=False
        )
    broken = tmp_path / "openapi.yaml"
    broken.write_text(text, "utf-8")
    with pytest.raises(ContractError) as caught:
        load_contract(broken)
    message = str(caught.value)
    for expected in case["expect"]:
        assert expected in message
    if "patch" in case:
        assert message.startswith("openapi.yaml breaks ")
        found = message.count("\n- ")
        listed = sum(message.count(expected) for expected in case["expect"])
        assert found == listed, f"other faults are reported, too: {message}"


def test_the_contract_is_good() -> None:
    """The contract of the repository keeps every rule."""
    document = load_contract().as_dict()
    check(document, "openapi.yaml")
