"""A terminal for a command: what it would print for a person (POSIX only).

Imports the standard library and tests/cli/command.py.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

from tests.aura_forks import AURA
from tests.cli.command import LIMIT_SEC, Aura
from tests.waiting import until_sync

_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A command on a terminal of `width` columns; with `notes` its stderr shows there, too."""

    def __init__(self, aura: Aura, *words: str, width: int = 80, notes: bool = False) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        self.process = subprocess.Popen(
            [*AURA, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs if notes else subprocess.DEVNULL,
            cwd=aura.cwd,
            env=aura.environment(TERM="xterm-256color"),
            start_new_session=True,
        )
        os.close(theirs)
        self._content = bytearray()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        os.close(self._ours)

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._content.decode(errors="replace").replace("\r\n", "\n")

    def says(self, text: str) -> None:
        """Wait until `text` is printed."""
        until_sync(lambda: text in self.output, 20)

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        code = self.process.wait(LIMIT_SEC)
        self._reader.join()
        return code

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._ours, 65_536)
            except OSError:  # how Linux says that the other end is closed
                return
            if not chunk:
                return
            self._content += chunk


def on_terminal(aura: Aura, *words: str, width: int = 80, notes: bool = False) -> str:
    """What a command prints on a terminal, from its start to its end."""
    with Terminal(aura, *words, width=width, notes=notes) as terminal:
        terminal.ended()
        return terminal.output


def unstyled(output: str) -> str:
    """`output` without colours and cursor movements."""
    return _STYLE.sub("", output)
