"""Which hosts of this data folder are alive: each has a file there, which it keeps locked.

So a server that was killed and comes back knows that it has died, without waiting until nothing
was heard of it for long enough (decision 0058). May import the standard library only.
"""

import sys
from pathlib import Path
from typing import IO, Final

if sys.platform != "win32":
    import fcntl

FOLDER: Final = "hosts"


class HostMark:
    """The file of a host, locked as long as its process lives, whichever way that ends."""

    def __init__(self, data_dir: Path, host_id: str) -> None:
        """Make it.

        Raises:
            OSError: it cannot be made.
        """
        self._folder = data_dir / FOLDER
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._path = self._folder / host_id
        self._file = self._path.open("wb")
        _lock(self._file)

    def dead(self) -> list[str]:
        """The hosts whose process has ended without taking its file away; on Windows, where a
        file that is open cannot be asked for, none.
        """
        others = (path for path in sorted(self._folder.iterdir()) if path != self._path)
        return [path.name for path in others if _is_free(path)]

    def forget(self, host_id: str) -> None:
        """Take the file of a dead host away."""
        (self._folder / host_id).unlink(missing_ok=True)

    def close(self) -> None:
        """Take its own file away."""
        self._path.unlink(missing_ok=True)
        self._file.close()


def _is_free(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _lock(file)
    except FileNotFoundError:  # its host has just ended
        return False


def _lock(file: IO[bytes]) -> bool:
    """Lock `file` until it is closed; False if somebody else has it."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
