"""That the schemas mirror all of the contract is found out once; no server starts if they do not.

Imports pytest, msgspec and aura_aio.
"""

import shutil
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from aura_aio.api import judging, mirrored
from aura_aio.api.mirrored import must_be_mirrored
from aura_aio.contract.document import Contract, load_contract
from aura_aio.model.errors import ContractError

CONTRACT = load_contract()


@pytest.fixture(autouse=True)
def python_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python keeps what it compiles, whatever this process was told."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[Contract]:
    """The contracts that were looked at."""
    looked_at: list[Contract] = []
    judge = judging.must_be_mirrored

    def look_at(contract: Contract) -> None:
        looked_at.append(contract)
        judge(contract)

    monkeypatch.setattr(judging, "must_be_mirrored", look_at)
    return looked_at


def _with_another_answer() -> Contract:
    first, *others = CONTRACT.operations
    answer = replace(first.answers[0], component="NobodyKnows")
    operations = (replace(first, answers=(answer, *first.answers[1:])), *others)
    return replace(CONTRACT, operations=operations, yaml=CONTRACT.yaml + b"\n# another\n")


def test_it_is_found_out_once(tmp_path: Path, judged: list[Contract]) -> None:
    for _ in range(2):
        must_be_mirrored(CONTRACT, tmp_path / "__pycache__")
    assert judged == [CONTRACT]


def test_another_contract_is_looked_at(tmp_path: Path, judged: list[Contract]) -> None:
    must_be_mirrored(CONTRACT, tmp_path)
    first = list(tmp_path.iterdir())
    another = replace(CONTRACT, yaml=CONTRACT.yaml + b"\n# another\n")
    must_be_mirrored(another, tmp_path)
    assert judged == [CONTRACT, another]
    assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) != first


@pytest.mark.parametrize("module", ["judging.py", "schemas/runs.py"])
def test_it_is_looked_at_again_when_schemas_or_who_looks_have_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judged: list[Contract], module: str
) -> None:
    copy = tmp_path / "api"
    shutil.copytree(Path(mirrored.__file__).parent, copy)
    monkeypatch.setattr(mirrored, "_MODULES", copy)
    must_be_mirrored(CONTRACT, tmp_path)
    with (copy / module).open("a") as changed:
        changed.write("# changed\n")
    for _ in range(2):
        must_be_mirrored(CONTRACT, tmp_path)
    assert judged == [CONTRACT, CONTRACT]


def test_what_is_not_mirrored_is_told_each_time(tmp_path: Path) -> None:
    must_be_mirrored(CONTRACT, tmp_path)
    for _ in range(2):
        with pytest.raises(ContractError, match="NobodyKnowsSchema"):
            must_be_mirrored(_with_another_answer(), tmp_path)


def test_where_nothing_is_kept_each_start_looks(
    tmp_path: Path, judged: list[Contract], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for _ in range(2):
        must_be_mirrored(CONTRACT, tmp_path)
    assert judged == [CONTRACT, CONTRACT]
    assert not list(tmp_path.iterdir())


def test_a_folder_that_nobody_may_look_into_keeps_nothing(
    tmp_path: Path, judged: list[Contract]
) -> None:
    nowhere = tmp_path / ("n" * 256)  # also for root: no file system takes such a name
    with pytest.raises(OSError, match="too long"):
        nowhere.exists()
    must_be_mirrored(CONTRACT, nowhere)
    assert judged == [CONTRACT]
