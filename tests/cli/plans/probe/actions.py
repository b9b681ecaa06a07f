"""Actions that go on until a test lets them end."""

import asyncio
from pathlib import Path

from aura_aio import ActionContext, action


@action
async def hold(context: ActionContext, until: str) -> str:
    """Say how far it is, and return when the file `until` exists."""
    context.log("holding")
    context.progress(0.4, "warming up")
    while not await asyncio.to_thread(Path(until).exists):  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.02)
    return Path(until).name


@action
def talk(context: ActionContext) -> str:
    """Log at several levels, over several lines, and with what steers terminals."""
    context.log("quiet", level="debug")
    context.log("first\nsecond\tline", answer=42, note="two words")
    context.log("careful", level="warning")
    context.log("\x1b]0;title\x07\x1b[2Jclear\x9b31m\u202egnp.exe \x1b[31mred\x1b[0m\rover")
    return "talked"


@action
def burst(count: int) -> int:
    """Print numbered lines."""
    for number in range(count):
        print("line", number)  # noqa: T201 - what is tested
    return count
