"""Processes that actions of tests start, and tell of in files.

Imports `tests.server_process`, `tests.waiting` and the harness.
"""

from collections.abc import Callable
from pathlib import Path

from aura_aio.engine.runner import Runner
from aura_aio.model.plan import Task
from aura_aio.model.run import Outcome
from tests.engine.harness import Bench
from tests.server_process import is_alive
from tests.waiting import until

LONG = 30.0


def is_gone(pid: int) -> bool:
    """Whether there is no such process, or only what is left of it until its parent looks."""
    try:
        left = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return not is_alive(pid)
    return "\nState:\tZ" in left


def has_begun(file: Path) -> bool:
    """Whether an action has written its file."""
    return file.exists()


async def pid_in(file: Path) -> int:
    """What an action wrote into its file."""
    return int(await until(lambda: file.exists() and file.read_text(), within=LONG))


async def limited(
    table: Bench, task: Callable[[float], Task], file: Path
) -> tuple[Outcome, Runner]:
    """The outcome of a run whose time was over after its action had written `file`; `task` gives
    the task with a limit, which is longer each time that this was too short for that.
    """
    for limit_sec in (1.0, 2.0, 4.0, 8.0, 16.0):
        runner = table.runner(task(limit_sec))
        outcome = await runner.run()
        if has_begun(file):
            return outcome, runner
    raise AssertionError(f"No process wrote {file} within 16 s.")
