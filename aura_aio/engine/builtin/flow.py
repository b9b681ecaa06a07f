"""Built-in actions that only deal with the run itself: `log`, `sleep`, `fail`, `set`.

May import `engine.context` only.
"""

from typing import Any, Final

from aura_aio.engine.context import ActionContext, log_level


class Failed(Exception):
    """The action `fail` was called."""


async def log(
    context: ActionContext,
    message: Any,
    level: str = "info",
    data: dict[str, Any] | None = None,
) -> None:
    """Write a line to the run's log. `level` is debug, info, warning, error or critical; `data`
    are values that belong to the line.

    Raises:
        ValueError: there is no such level.
    """
    context.write_line(log_level(level), str(message), logger=context.action, data=data)


async def sleep(context: ActionContext, seconds: float) -> None:
    """Wait so many seconds."""
    await context.clock.sleep(seconds)


async def fail(message: str = "The action 'fail' was called.") -> None:
    """Fail with a message.

    Raises:
        Failed: always.
    """
    raise Failed(message)


async def set_(**values: Any) -> dict[str, Any]:
    """Give back the parameters, whatever they are called: values for later steps."""
    return values


ACTIONS: Final = {"log": log, "sleep": sleep, "fail": fail, "set": set_}
