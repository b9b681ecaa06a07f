"""What the operating system is asked to enforce on a worker process.

May import the standard library only.
"""

import contextlib
import signal
import sys
from pathlib import Path
from types import FrameType

if sys.platform != "win32":
    import resource


def limit_memory(limit_bytes: int) -> None:
    """Let allocations beyond `limit_bytes` fail as MemoryError (0: no limit; not on Windows).

    On Linux the limit is on data, not on address space, which threads and mapped files use
    freely; and the kernel is told to end workers before the server when memory runs out.
    """
    if sys.platform == "win32":
        return
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # not in every container; then the limit must do
            Path("/proc/self/oom_score_adj").write_text("1000")
    if limit_bytes:
        kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
        _, hard = resource.getrlimit(kind)
        soft = limit_bytes if hard == resource.RLIM_INFINITY else min(limit_bytes, hard)
        resource.setrlimit(kind, (soft, hard))


def leave_signals_to_the_server() -> None:
    """Ignore the signals that a terminal or service manager sends to the whole group.

    The server decides when a worker ends; a worker whose server is gone sees the link's end. They
    are taken and dropped rather than ignored, which the programs that actions start would inherit:
    SIGTERM could end none of them.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _drop)


def _drop(_number: int, _frame: FrameType | None) -> None:
    """Take a signal, and do nothing."""
