"""The page of the limits: each has its setting with the default that it names, and a test; none is
missing.

Imports aura_aio's settings, `aura_aio.cli.options` and `pages`.
"""

import ast
import re

from aura_aio.cli.options import shown
from aura_aio.settings_table import settings_table
from tests.docs.pages import REPOSITORY

_ROW = re.compile(r"^\| (.+?) \| `(\w+)` \| `?(.+?)`? \| (.+) \|$", re.MULTILINE)
_PROOF = re.compile(r"^\| `(\w+)` \| ((?:`\S+`(?:, )?)+) \|$", re.MULTILINE)
_PAGE = (REPOSITORY / "docs/reference/limits.md").read_text("utf-8")
_LIMITS = re.compile(r"max_|keep_|_limit$|_depth$|_timeout_sec$|_lines$|_free_|_per_sec$")


def test_each_limit_has_its_setting_and_its_default() -> None:
    defaults = {each.name: shown(each.default) for each in settings_table()}
    rows = _ROW.findall(_PAGE)
    assert {name: default for _, name, default, _ in rows} == {
        name: defaults.get(name) for _, name, _, _ in rows
    }
    assert all(what and consequence for what, _, _, consequence in rows)


def test_no_limit_is_missing() -> None:
    limits = {each.name for each in settings_table() if _LIMITS.search(each.name)}
    assert len(limits) > 10
    assert limits <= {name for _, name, _, _ in _ROW.findall(_PAGE)}


def test_each_limit_names_a_test_that_there_is() -> None:
    proofs = _PROOF.findall(_PAGE)
    limits = [name for _, name, _, _ in _ROW.findall(_PAGE)]
    assert [name for name, _ in proofs] == list(dict.fromkeys(limits))
    tests = [test for _, named in proofs for test in re.findall(r"`(\S+)`", named)]
    assert [test for test in tests if not _is_there(*test.split("::"))] == []


def _is_there(path: str, name: str) -> bool:
    tree = ast.parse((REPOSITORY / path).read_text("utf-8"))
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        for node in tree.body
    )
