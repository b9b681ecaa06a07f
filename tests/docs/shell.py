"""A shell on a terminal, as a reader has it: commands go in, what the screen shows comes out.

Imports the standard library and tests/waiting.py; POSIX only.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping
from pathlib import Path

from tests.waiting import until_sync

COLUMNS = 100
LIMIT_SEC = 90

# Commands come through a descriptor of their own, so that none can read the others as its input.
# Behind each, the shell prints a mark with the exit code.
_LOOP = 'while IFS= read -r -d "" -u {fd} typed; do eval "$typed"; printf "\\0%d\\0" $?; done'
_MARK = re.compile("\0(\\d+)\0")
_CONTROL = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


class Shell:
    """A shell of its own in `folder`, with `environment`."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
        commands, self._typed = os.pipe()
        self._ours = ours
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-c", _LOOP.format(fd=commands)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env={**environment, "TERM": "xterm-256color"},
            pass_fds=(commands,),
            start_new_session=True,
        )
        os.close(theirs)
        os.close(commands)
        self._content = bytearray()
        self._begin: int | None = None
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._typed)
        os.killpg(self._process.pid, 9)
        self._process.wait()
        self._reader.join()
        os.close(self._ours)

    def type(self, command: str) -> None:
        """Type a command once the one before has ended, and leave it to run."""
        self._wait()
        self._begin = len(self._content)
        os.write(self._typed, command.encode() + b"\0")

    def run(self, command: str) -> str:
        """Type a command and wait for its end; what the screen shows of it then."""
        self.type(command)
        self._wait()
        return self.screen

    @property
    def screen(self) -> str:
        """What the screen shows of the command that was typed last."""
        return on_screen(self._raw.partition("\0")[0])

    @property
    def _raw(self) -> str:
        return self._content[self._begin or 0 :].decode(errors="replace")

    def _wait(self) -> None:
        until_sync(lambda: self._begin is None or _MARK.search(self._raw), LIMIT_SEC)

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._ours, 65_536)
            except OSError:  # how Linux says that the other end is closed
                return
            if not chunk:
                return
            self._content += chunk


def on_screen(output: str) -> str:
    """What stays on a screen that is long enough: lines that are written over are gone, and colours
    are left out.
    """
    lines, row, column = [""], 0, 0
    place = 0
    while place < len(output):
        control = _CONTROL.match(output, place)
        if control:
            place = control.end()
            if control[2] == "K":
                lines[row] = "" if control[1] == "2" else lines[row][:column]
            elif control[2] == "A":
                row = max(0, row - int(control[1] or 1))
            continue
        letter = output[place]
        place += 1
        if letter == "\r":
            column = 0
        elif letter == "\n":
            row += 1
            if row == len(lines):
                lines.append("")
        elif letter >= " ":
            lines[row] = lines[row][:column].ljust(column) + letter + lines[row][column + 1 :]
            column += 1
    return "\n".join(line.rstrip() for line in lines).strip("\n")
