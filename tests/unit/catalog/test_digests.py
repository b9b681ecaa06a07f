"""The digest of a plan: the same for the same, on whichever host; another for what does others.

Imports pytest, and aura_aio's catalog.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from aura_aio.catalog.catalog import load_catalog, reload_catalog
from aura_aio.catalog.files import PlanFolder

ACTION = "from aura_aio import action\n\n@action\ndef go() -> int:\n    return 1\n"
FILES = {
    "p/aura.yaml": "package: {name: p, title: P}\n",
    "p/actions.py": ACTION,
    "p/helper.py": "N = 1\n",
    "p/tasks/t.yaml": "steps: {a: {action: go}, b: {action: q/go}}\n",
    "q/actions.py": ACTION,
    "r/tasks/t.yaml": "steps: {a: {action: log, params: {message: x}}}\n",
}


def write(root: Path, **files: str) -> Path:
    """The plans below `root`, with other files in place of those of the same name."""
    for name, text in (FILES | files).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def digests(root: Path) -> dict[str, str]:
    """Those of the plans below `root`, loaded from the beginning."""
    return load_catalog([root]).digests()


def test_it_is_the_same_wherever_the_plan_is_and_whenever_it_was_written(tmp_path: Path) -> None:
    here, there = write(tmp_path / "here"), write(tmp_path / "there")
    for path in there.rglob("*.py"):
        os.utime(path, (1, 1))
    assert digests(here) == digests(there)
    assert len(set(digests(here).values())) == 3
    assert {len(digest) for digest in digests(here).values()} == {32}


@pytest.mark.parametrize(
    ("file", "text", "changed"),
    [
        ("p/tasks/t.yaml", "steps: {a: {action: go}}\n", {"p"}),
        ("p/tasks/u.yaml", "steps: {a: {action: go}}\n", {"p"}),
        ("p/actions.py", ACTION.replace("1", "2"), {"p"}),
        ("p/helper.py", "N = 2\n", {"p"}),
        ("q/actions.py", ACTION.replace("1", "2"), {"p", "q"}),
        ("q/helper.py", "N = 2\n", {"p", "q"}),
        ("p/tasks/t.yaml", f"# a remark\n{FILES['p/tasks/t.yaml']}", set()),
        ("p/aura.yaml", "package: {name: p, title: Other}\n", set()),
        ("p/data.json", "{}", set()),
        ("r/tasks/t.yaml", "steps: {a: {action: set, params: {x: 1}}}\n", {"r"}),
    ],
)
def test_it_is_another_when_its_runs_do_other_things(
    tmp_path: Path, file: str, text: str, changed: set[str]
) -> None:
    before = load_catalog([write(tmp_path)])
    path = write(tmp_path, **{file: text}) / file
    os.utime(path, (1, 1))  # no two edits look the same
    for now in (load_catalog([tmp_path]), reload_catalog(before, [tmp_path], [path])):
        found = before.digests().items() ^ now.digests().items()
        assert {name for name, _ in found} == changed


def test_what_is_broken_by_an_edit_counts_as_it_was(tmp_path: Path) -> None:
    before = load_catalog([write(tmp_path)])
    path = write(tmp_path, **{"p/actions.py": "def"}) / "p/actions.py"
    assert reload_catalog(before, [tmp_path], [path]).digests() == before.digests()


def test_a_file_that_cannot_be_read_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    before, read = digests(tmp_path), hashlib.file_digest

    def refuse(stream: Any, name: str) -> Any:
        if stream.name.endswith("helper.py"):
            raise PermissionError
        return read(stream, name)

    monkeypatch.setattr(hashlib, "file_digest", refuse)
    refused = digests(tmp_path)
    assert refused["p"] != before["p"]
    (tmp_path / "p/helper.py").unlink()
    assert digests(tmp_path)["p"] not in {refused["p"], before["p"]}
    shutil.rmtree(tmp_path / "p")
    assert digests(tmp_path) == {name: before[name] for name in "qr"}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("p/actions.py", "..data/actions.py"),
        ("p/helper.py", "..data/actions.py"),
        ("p/actions", "..data"),
        ("p/lib/inner", "../..data"),
    ],
)
def test_what_a_link_in_a_plan_leads_to_counts_as_it_is_now(
    tmp_path: Path, link: str, target: str
) -> None:
    """As Kubernetes mounts files: one link, `..data`, is changed, and with it all."""
    plan = write(tmp_path, **{"p/..1/actions.py": ACTION}) / "p"
    for version, text in (("..2", ACTION), ("..3", ACTION.replace("1", "2"))):
        write(tmp_path, **{f"p/{version}/actions.py": text})
        os.utime(plan / version / "actions.py", (1, 1))  # and of the same size
    os.utime(plan / "..1/actions.py", (1, 1))
    path = tmp_path / link
    path.parent.mkdir(exist_ok=True)
    if link == "p/actions":
        (plan / "actions.py").unlink()  # there can be one of them only
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    loaded = []
    for version in ("..1", "..2", "..3"):
        (plan / "..data").unlink(missing_ok=True)
        (plan / "..data").symlink_to(version)
        loaded.append(load_catalog([tmp_path]))
        if len(loaded) > 1:
            now = reload_catalog(loaded[-2], [tmp_path], [plan])
            assert now.digests() == loaded[-1].digests()
    one, two, three = (each.digests() for each in loaded)
    assert one == two
    assert {name for name, _ in two.items() ^ three.items()} == {"p"}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_that_lead_out_of_the_plan_or_back_count_for_nothing(tmp_path: Path) -> None:
    plan = write(tmp_path, **{"q/inner/deep/x.py": ""}) / "q"
    before = digests(tmp_path)
    (plan / "out.py").symlink_to(tmp_path / "p/actions.py")
    (plan / "out").symlink_to(tmp_path / "p")
    (plan / "ring.py").symlink_to("ring.py")
    (plan / "nothing.py").symlink_to("nowhere.py")
    (plan / "self").symlink_to(".")
    (plan / "inner/deep/back").symlink_to("..")
    assert digests(tmp_path) == before
    (plan / "inner/to_other").symlink_to("../other")
    (plan / "other").mkdir()
    (plan / "other/to_inner").symlink_to("../inner")
    stamps = PlanFolder(plan).stamps((".py",), {})
    assert sorted(stamps) == ["actions.py", "inner/deep/x.py", "other/to_inner/deep/x.py"]
