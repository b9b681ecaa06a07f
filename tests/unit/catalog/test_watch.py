"""Watching real folders.

Imports pytest, and aura_aio's catalog.
"""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from aura_aio.catalog.watch import watch_folders
from tests.waiting import until


class Seen:
    """What a watch has told so far."""

    def __init__(self) -> None:
        self.answers: list[frozenset[Path] | None] = []
        self.folders: tuple[Path, ...] = ()
        self.stop = asyncio.Event()

    @property
    def paths(self) -> set[Path]:
        """All paths that were told."""
        return {path for answer in self.answers for path in answer or ()}

    @property
    def beginnings(self) -> int:
        """How often anything may have changed."""
        return self.answers.count(None)

    async def watch(self) -> None:
        async with aclosing(watch_folders(lambda: self.folders, self.stop)) as changes:
            async for paths in changes:
                self.answers.append(paths)


@asynccontextmanager
async def watching(*folders: Path) -> AsyncIterator[Seen]:
    seen = Seen()
    seen.folders = folders
    async with asyncio.TaskGroup() as group:
        group.create_task(seen.watch())
        await until(lambda: seen.beginnings == 1, within=20)
        yield seen
        seen.stop.set()


async def test_what_is_written_made_and_removed_is_told(tmp_path: Path) -> None:
    (tmp_path / "p" / "tasks").mkdir(parents=True)
    file = tmp_path / "p" / "tasks" / "t.yaml"
    async with watching(tmp_path) as seen:
        file.write_text("a: b")
        await until(lambda: file in seen.paths, within=20)
        seen.answers.clear()
        file.unlink()
        await until(lambda: file in seen.paths, within=20)
        new = tmp_path / "q" / "tasks" / "deep"
        new.mkdir(parents=True)
        await until(lambda: tmp_path / "q" in seen.paths, within=20)
        seen.answers.clear()
        (new / "u.yaml").write_text("a: b")
        await until(lambda: new / "u.yaml" in seen.paths, within=20)
        assert seen.beginnings == 0


async def test_what_is_hidden_is_not_told(tmp_path: Path) -> None:
    root = tmp_path / ".config" / "plans"
    (root / "p" / "__pycache__").mkdir(parents=True)
    async with watching(root) as seen:
        (root / "p" / "__pycache__" / "a.pyc").write_text("")
        (root / "p" / ".t.yaml.swp").write_text("")
        (root / "p" / "t.yaml").write_text("")
        await until(lambda: root / "p" / "t.yaml" in seen.paths, within=20)
        assert seen.paths == {root / "p" / "t.yaml"}


async def test_folders_that_come_and_go_are_noticed(tmp_path: Path) -> None:
    root = tmp_path / "plans"
    async with watching(root) as seen:
        root.mkdir()
        await until(lambda: seen.beginnings == 2, within=20)
        (root / "a").write_text("")
        await until(lambda: root / "a" in seen.paths, within=20)
        shutil.rmtree(root)
        await until(lambda: seen.beginnings == 3, within=20)
        root.mkdir()
        await until(lambda: seen.beginnings == 4, within=20)
        (root / "b").write_text("")
        await until(lambda: root / "b" in seen.paths, within=20)


async def test_another_folder_of_the_same_name_is_noticed(tmp_path: Path) -> None:
    root, other = tmp_path / "plans", tmp_path / "other"
    root.mkdir()
    other.mkdir()
    async with watching(root) as seen:
        root.rename(tmp_path / "gone")
        other.rename(root)
        await until(lambda: seen.beginnings == 2, within=20)
        (root / "a").write_text("")
        await until(lambda: root / "a" in seen.paths, within=20)


async def test_a_folder_that_is_added_is_watched(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    async with watching(first) as seen:
        seen.folders = (first, second)
        await until(lambda: seen.beginnings == 2, within=20)
        (second / "a").write_text("")
        await until(lambda: second / "a" in seen.paths, within=20)


async def test_it_ends_when_it_is_stopped(tmp_path: Path) -> None:
    async with asyncio.timeout(20), watching(tmp_path):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
async def test_a_folder_behind_a_link_is_watched(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    async with watching(tmp_path / "link") as seen:
        (real / "a").write_text("")
        await until(lambda: {path.name for path in seen.paths} == {"a"}, within=20)
