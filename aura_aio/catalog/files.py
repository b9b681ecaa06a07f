"""Reading the files of one plan, and nothing outside of it.

May import the standard library only.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

MAX_FILE_BYTES: Final = 1024 * 1024
MAX_FILES: Final = 10_000
"""How many files and folders are looked at below one folder."""
MAX_DEPTH: Final = 32
"""How deep folders may be nested."""

_OUTSIDE: Final = "It is a link that leaves the plan's folder."


class FileStamp(NamedTuple):
    """When a file was changed (nanoseconds), and its size: another one means another content. Its
    digest is that of the content, the same on every host; empty if it could not be read.
    """

    changed_ns: int
    size: int
    digest: str


class FileRefused(Exception):
    """The file is not read; the sentence says why."""


class PlanFolder:
    """The folder of a plan; all paths are relative to it, with `/`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real_root = root.resolve()
        self._refused: dict[str, str] = {}

    def has(self, path: str) -> bool:
        """Whether something is called `path`, be it a link that leads nowhere."""
        return os.path.lexists(self.root / path)

    def holds(self, path: Path) -> bool:
        """Whether `path`, which is absolute, lies in this folder, or is it."""
        return path.is_relative_to(self.root) or path.is_relative_to(self._real_root)

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder `path`."""
        return os.path.isdir(self.root / path)  # unlike Path.is_dir, it never raises

    def files_below(self, folder: str, suffixes: tuple[str, ...]) -> Iterator[str]:
        """The files in `folder` and below with one of `suffixes`, sorted; hidden ones are not
        there. What cannot be looked into, such as a link to a folder, counts as a file (that
        `read` refuses).
        """
        if not self.has(folder):
            return
        if not self._is_inside(folder):
            yield self._refuse(folder, _OUTSIDE)
        elif self.is_folder(folder):
            yield from self._below(folder, suffixes, lambda _: False)

    def _below(
        self, top: str, suffixes: tuple[str, ...], is_followed: Callable[[str], bool]
    ) -> Iterator[str]:
        """See `files_below`; of links to folders, those are looked into that are followed."""
        seen = 0
        waiting = [(top, 1)]
        while waiting:
            folder, depth = waiting.pop()
            entries = self._entries(folder)
            if entries is None:
                yield folder
                continue
            seen += len(entries)
            if seen > MAX_FILES:
                yield self._refuse(top, f"There are more than {MAX_FILES:,} files in it.")
                return
            inner: list[tuple[str, int]] = []
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if portable(path) != path:
                    yield self._refuse(portable(path), "Its name is no UTF-8 text: rename it.")
                elif not entry.is_dir(follow_symlinks=False) and not (
                    _is_folder(entry) and is_followed(path)
                ):
                    if entry.name.endswith(suffixes) or _is_folder(entry):
                        yield path
                elif depth == MAX_DEPTH:
                    yield self._refuse(path, f"Folders are nested deeper than {MAX_DEPTH} levels.")
                else:
                    inner.append((path, depth + 1))
            waiting.extend(reversed(inner))

    def stamps(
        self, suffixes: tuple[str, ...], known: Mapping[str, FileStamp]
    ) -> dict[str, FileStamp]:
        """The stamps of all files in the plan with one of `suffixes`, by whichever path in it
        Python finds them: links within the plan are followed, what leads out of it is left out.
        Files that are still as they were when they got the stamps in `known` are not read again,
        unless a link leads to them: it may lead to others now.
        """
        found: dict[str, FileStamp] = {}
        for path in self._below("", suffixes, self._is_way):
            with suppress(OSError):
                real = Path(os.path.realpath(self.root / path, strict=True))
                status = real.stat()
                if real.is_relative_to(self._real_root) and stat.S_ISREG(status.st_mode):
                    before = known.get(path) if real == self._real_root / path else None
                    stamp = FileStamp(status.st_mtime_ns, status.st_size, "")
                    if before is not None and before[:2] == stamp[:2]:
                        found[path] = before
                    else:
                        found[path] = stamp._replace(digest=_digest(real))
        return found

    def _is_way(self, link: str) -> bool:
        """Whether a link to a folder leads to another one in the plan, and not back to one of those
        that led to it.
        """
        path = PurePosixPath(link)
        real, *ways = (Path(os.path.realpath(self.root / each)) for each in (path, *path.parents))
        return real.is_relative_to(self._real_root) and not any(
            way.is_relative_to(real) for way in ways
        )

    def read(self, path: str) -> str:
        """The text of a file.

        Raises:
            FileRefused: it lies outside of the plan, is too long, or is no UTF-8 text.
        """
        if path in self._refused:
            raise FileRefused(self._refused[path])
        try:
            return self._read(path)
        except OSError as error:
            raise FileRefused(f"It cannot be read: {error.strerror or error}.") from error
        except RuntimeError as error:  # how Python up to 3.12 tells of links in a ring
            raise FileRefused("It is a link that leads to itself.") from error
        except UnicodeDecodeError as error:
            raise FileRefused(f"It is no UTF-8 text (byte {error.start}).") from error

    def _read(self, path: str) -> str:
        real = (self.root / path).resolve(strict=True)
        if not real.is_relative_to(self._real_root):
            raise FileRefused(_OUTSIDE)
        if not stat.S_ISREG(real.stat().st_mode):
            raise FileRefused("It is no file. Links to folders are not followed.")
        with real.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise FileRefused(f"It is longer than {MAX_FILE_BYTES:,} bytes.")
        if b"\0" in data:
            raise FileRefused("It holds NUL bytes.")
        return data.decode("utf-8-sig")

    def _is_inside(self, path: str) -> bool:
        try:
            return (self.root / path).resolve().is_relative_to(self._real_root)
        except RuntimeError:
            return False

    def _entries(self, folder: str) -> list[os.DirEntry[str]] | None:
        """What is in a folder, by name; None (and refused) if that cannot be told."""
        try:
            with os.scandir(self.root / folder) as found:
                visible = (each for each in found if not _is_hidden(each.name))
                entries = list(islice(visible, MAX_FILES + 1))
        except OSError as error:
            self._refuse(folder, f"It cannot be read: {error.strerror or error}.")
            return None
        return sorted(entries, key=lambda entry: entry.name)

    def _refuse(self, path: str, why: str) -> str:
        self._refused[path] = why
        return path


def _digest(path: Path) -> str:
    """The digest of a file's content; empty if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is, or leads to, a folder."""
    try:
        return entry.is_dir()
    except OSError:  # a link in a ring
        return False


def portable(path: str) -> str:
    """`path` with what is no UTF-8 in it written as escapes."""
    return path if path.isascii() else os.fsencode(path).decode(errors="backslashreplace")
