"""What has passed the checks is kept: for itself alone, and only where something may be kept.

Imports pytest, msgspec and aura_aio.contract.
"""

import sys
from pathlib import Path

import msgspec
import pytest

from aura_aio.contract.checked import checked
from aura_aio.contract.document import load_contract
from aura_aio.model.errors import ContractError

CONTRACT = load_contract()
TEXT = CONTRACT.yaml


@pytest.fixture(autouse=True)
def python_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python keeps what it compiles, whatever this process was told."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def kept(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.exists() else []


def test_what_passed_is_read_back(tmp_path: Path) -> None:
    folder = tmp_path / "__pycache__"
    assert checked(TEXT, "openapi.yaml", folder) == CONTRACT.as_dict()
    assert checked(TEXT, "openapi.yaml", folder) == CONTRACT.as_dict()
    (file,) = kept(folder)
    file.write_bytes(msgspec.json.encode({"read": "from here"}))
    assert checked(TEXT, "openapi.yaml", folder) == {"read": "from here"}


def test_another_text_is_read_and_checked_and_takes_the_place(tmp_path: Path) -> None:
    checked(TEXT, "openapi.yaml", tmp_path)
    first = kept(tmp_path)
    checked(TEXT + b"\n# another\n", "openapi.yaml", tmp_path)
    assert len(kept(tmp_path)) == 1
    assert kept(tmp_path) != first


def test_what_does_not_pass_is_not_kept(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ContractError):
            checked(TEXT.replace(b"operationId: runTask\n", b""), "openapi.yaml", tmp_path)
    assert kept(tmp_path) == []


def test_what_was_damaged_is_made_anew(tmp_path: Path) -> None:
    checked(TEXT, "openapi.yaml", tmp_path)
    (file,) = kept(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:1000])
    assert checked(TEXT, "openapi.yaml", tmp_path) == CONTRACT.as_dict()
    assert file.read_bytes() == whole


def test_nothing_is_kept_where_python_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked(TEXT, "openapi.yaml", None)
    (tmp_path / "a file").touch()
    assert checked(TEXT, "openapi.yaml", tmp_path / "a file") == CONTRACT.as_dict()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    checked(TEXT, "openapi.yaml", tmp_path / "folder")
    assert [each.name for each in kept(tmp_path)] == ["a file"]
