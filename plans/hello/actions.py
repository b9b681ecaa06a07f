"""The actions of the plan `hello`: one that greets, and three that make breakfast."""

import asyncio

from aura_aio import ActionContext, action


@action
def greet(name: str, context: ActionContext) -> str:
    """Logs a greeting, and returns it."""
    greeting = f"Hello, {name}!"
    context.log(greeting)
    return greeting


@action
async def prepare(dish: str, seconds: float, context: ActionContext) -> str:
    """Takes `seconds` to prepare `dish`. Other steps go on meanwhile, for this one only waits."""
    for quarter in range(4):
        context.progress(quarter / 4, f"preparing {dish}")
        await asyncio.sleep(seconds / 4)
    context.log(f"{dish} is ready")
    return dish


@action
def wake(who: str, calls_needed: int, context: ActionContext) -> str:
    """Calls `who`, and fails until it has been called `calls_needed` times in this run.

    Stands for everything in the world that works at the second try. The calls are counted in a file
    of the plan's data folder: nothing else of an action that fails outlives its end.
    """
    file = context.data_dir / f"calls-{context.cid}"
    calls = len(file.read_text()) + 1 if file.exists() else 1
    if calls < calls_needed:
        file.write_text("." * calls)
        raise ConnectionError(f"{who} turns over and goes on sleeping (call {calls})")
    file.unlink(missing_ok=True)
    context.log(f"{who} is awake after {calls} calls")
    return who


@action
def serve(dishes: list[str], guest: str, context: ActionContext) -> str:
    """Puts everything on the table."""
    words = f"{guest} has {' and '.join(dishes)} for breakfast"
    context.log(words)
    return words
