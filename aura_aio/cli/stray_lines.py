"""What is written to the standard error output past every logger, as records of a logger.

May import the standard library only. Of use where each line must be of one format: libraries in C,
the interpreter's own last words, and the workers write there, too.
"""

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

_log = logging.getLogger("stderr")

_LONGEST_LINE: Final = 65_536
_MOST_LINES: Final = 500
"""Of a traceback; what follows makes a record of its own."""
_LEAVE_SEC: Final = 2.0
_TRACEBACK: Final = "Traceback (most recent call last):"


@contextmanager
def stray_lines_logged() -> Iterator[TextIO]:
    """Give what this process, and those that it starts, write to descriptor 2 meanwhile to the
    logger `stderr`, a record a line, or a traceback; the stream is where descriptor 2 led before.
    """
    sys.stderr.flush()
    before = os.dup(2)
    reading, writing = os.pipe()
    os.dup2(writing, 2)
    os.close(writing)
    reader = threading.Thread(target=_log_all, args=(reading,), name="stderr", daemon=True)
    reader.start()
    with open(before, "w", encoding="utf-8", errors="backslashreplace") as stream:
        try:
            yield stream
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            reader.join(_LEAVE_SEC)  # who still writes there may outlive this process


def _log_all(reading: int) -> None:
    """Until the last one who writes is gone."""
    block: list[str] = []
    with open(reading, encoding="utf-8", errors="backslashreplace", newline="\n") as lines:
        while line := lines.readline(_LONGEST_LINE):
            text = line.rstrip("\n")
            if block and (text.startswith(" ") or not text) and len(block) < _MOST_LINES:
                block.append(text)
                continue
            if block:
                # The line behind the indented ones names the exception.
                _tell("\n".join([*block, text]))
                block = []
            elif text == _TRACEBACK:
                block = [text]
            elif text.strip():
                _tell(text)
    if block:
        _tell("\n".join(block))


def _tell(text: str) -> None:
    _, several, last = text.rpartition("\n")
    if several:
        _log.error("%s", last, extra={"traceback": text})
    else:
        _log.warning("%s", text)
