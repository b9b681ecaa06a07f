"""Reading the files of one plan, and nothing outside of it.

May import the standard library only.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MAX_FILE_BYTES: Final = 1024 * 1024


class FileRefused(Exception):
    """The file is not read; the sentence says why."""


class PlanFolder:
    """The folder of a plan; all paths are relative to it, with `/`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real_root = root.resolve()

    def has(self, path: str) -> bool:
        """Whether there is a file or folder `path`."""
        return (self.root / path).exists()

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder `path`."""
        return (self.root / path).is_dir()

    def files_below(self, folder: str, suffixes: tuple[str, ...]) -> Iterator[str]:
        """The files in `folder` and below with one of `suffixes`, sorted; hidden ones are not
        there. A link to a folder counts as a file (that `read` refuses).
        """
        if not self.is_folder(folder):
            return
        for entry in sorted(os.scandir(self.root / folder), key=lambda entry: entry.name):
            path = f"{folder}/{entry.name}"
            if entry.name.startswith(".") or entry.name == "__pycache__":
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self.files_below(path, suffixes)
            elif entry.name.endswith(suffixes) or entry.is_dir():
                yield path

    def read(self, path: str) -> str:
        """The text of a file.

        Raises:
            FileRefused: it lies outside of the plan, is too long, or is no UTF-8 text.
        """
        try:
            return self._read(path)
        except OSError as error:
            raise FileRefused(f"It cannot be read: {error.strerror or error}.") from error
        except UnicodeDecodeError as error:
            raise FileRefused(f"It is no UTF-8 text (byte {error.start}).") from error

    def _read(self, path: str) -> str:
        real = (self.root / path).resolve(strict=True)
        if not real.is_relative_to(self._real_root):
            raise FileRefused("It is a link that leaves the plan's folder.")
        if not real.is_file():
            raise FileRefused("It is no file. Links to folders are not followed.")
        with real.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise FileRefused(f"It is longer than {MAX_FILE_BYTES:,} bytes.")
        if b"\0" in data:
            raise FileRefused("It holds NUL bytes.")
        return data.decode("utf-8-sig")
