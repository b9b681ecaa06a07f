"""What the runs of benchmarks do: nothing, log, or misbehave.

May import aura_aio and the standard library only.
"""

import os
import time

from aura_aio import ActionContext, action

LINE = "~line~ this one is as long as lines are that people write about what goes on"
"""By its first word whoever counts the lines of a stream knows one."""


@action
async def noop() -> None:
    """Return at once."""


@action
async def say(context: ActionContext) -> None:
    """Log one line."""
    context.log(LINE)


@action
def chatter(lines: int, context: ActionContext) -> float:
    """Log so many lines, in a thread; answers what one took, in microseconds."""
    began = time.perf_counter()
    for _ in range(lines):
        context.log(LINE)
    return (time.perf_counter() - began) * 1e6 / lines


@action
def spin_in_thread() -> None:
    """Never return, in a thread."""
    while True:
        pass


@action
async def spin_on_loop() -> None:
    """Never return, on the loop of the worker."""
    while True:
        pass


@action
def exit_process() -> None:
    """End the worker."""
    os._exit(1)


@action
def allocate() -> None:
    """Take all the memory that there is."""
    hoard = []
    while True:
        hoard.append(bytearray(1024 * 1024))
