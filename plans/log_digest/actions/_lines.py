"""The lines of a log, plain or compressed, in constant memory. Standard library only."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

#: No server writes longer lines; what is longer is cut, and is then a bad line.
LONGEST_LINE: Final = 32 * 1024
_GZIP_SIGNATURE: Final = b"\x1f\x8b"


class LogFile:
    """Reads one log, once."""

    def __init__(self, path: Path) -> None:
        #: True when a compressed log turned out to be cut off.
        self.ends_early = False
        self._path = path
        self._size = max(1, path.stat().st_size)
        self._raw: IO[bytes] | None = None

    @property
    def fraction_read(self) -> float:
        """How much of the file has been read, 0 to 1. May be asked while the lines are read."""
        if self._raw is None:
            return 0.0
        return 1.0 if self._raw.closed else min(1.0, self._raw.tell() / self._size)

    def __iter__(self) -> Iterator[str]:
        """The lines with their ends, bytes that are no characters as \ufffd; long ones are cut.

        Raises ValueError for a compressed log that is broken (not for one that is just cut off).
        """
        with self._path.open("rb") as raw:
            self._raw = raw
            is_compressed = raw.read(2) == _GZIP_SIGNATURE
            raw.seek(0)
            source = gzip.GzipFile(fileobj=raw) if is_compressed else raw
            with io.TextIOWrapper(source, encoding="utf-8", errors="replace", newline="\n") as text:
                try:
                    yield from _bounded_lines(text)
                except EOFError:
                    self.ends_early = True
                except (gzip.BadGzipFile, zlib.error) as error:
                    raise ValueError(f"{self._path} is no intact gzip file: {error}") from error


def _bounded_lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        rest = line
        while len(rest) == LONGEST_LINE and not rest.endswith("\n"):
            rest = text.readline(LONGEST_LINE)
        yield line.replace("\0", "\ufffd")


@contextmanager
def new_log(path: Path) -> Iterator[gzip.GzipFile | io.BufferedWriter]:
    """Opens `path` for writing; compressed, without a time stamp, if its name ends with .gz."""
    with path.open("wb") as raw:
        if path.suffix != ".gz":
            yield raw
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as compressed:
            yield compressed
