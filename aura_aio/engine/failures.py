"""What goes wrong in a run, and how it is told.

May import model, and `catalog.tracebacks`.
"""

from collections.abc import Callable
from typing import Final

from aura_aio.catalog.tracebacks import plan_traceback
from aura_aio.engine.context import portable_text
from aura_aio.model.run import RunError

MAX_MESSAGE: Final = 8192
"""Characters of an error's message."""


class RunFailure(Exception):
    """A failure that Aura itself finds; its sentence says all, so it needs no traceback."""


class TemplateFailed(RunFailure):
    """A template could not be rendered."""


class BadParameters(RunFailure):
    """The parameters of a step do not fit its action."""


class ActionMissing(RunFailure):
    """The action of a step is not there any more."""


class ResultNotJson(RunFailure):
    """A result cannot be stored: it is no JSON, or too long."""


class ResultRefused(RunFailure):
    """`on_result.retry_when` was still true after the last try."""


class EventCannotCome(RunFailure):
    """The event that a step waits for can never come."""


class LoopFailed(RunFailure):
    """A loop was given something that it cannot go through."""


class ChildNotStarted(Exception):
    """A child run could not be started."""


class ChildFailed(Exception):
    """A child run has ended in another way than success."""


class ActionNotImported(Exception):
    """The module of an action could not be imported; carries how that was told."""

    def __init__(self, told: RunError) -> None:
        super().__init__(told.message)
        self.told = told


class ProcessLost(Exception):
    """The process that made a call for a step ended before the call did."""


class RaisedElsewhere(Exception):
    """Carries what an action raised in a process of its own, and how that was told there.

    `classes` are the names of its class and of those that this one is derived from, alone and with
    their modules.
    """

    def __init__(self, told: RunError, classes: tuple[str, ...]) -> None:
        super().__init__(told.message)
        self.told = told
        self.classes = classes


class Escaped(Exception):
    """Carries what an action raised that is no `Exception`, such as `SystemExit`: on its own it
    would end the worker.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(repr(error))
        self.error = error


def run_error(
    error: BaseException, step: str | None = None, *, hide: Callable[[str], str] = str
) -> RunError:
    """How `error` is told; `hide` takes the secrets of the run out of a text. Reads source files
    for the traceback: call it in a thread.
    """
    if isinstance(error, Escaped):
        error = error.error
    if isinstance(error, (ActionNotImported, RaisedElsewhere)):
        return RunError(error.told.type, error.told.message, step, error.told.traceback)
    traceback = "" if isinstance(error, RunFailure) else hide(plan_traceback(error) or "")
    return RunError(
        type=kind(error),
        message=portable_text(hide(sentence(error)), MAX_MESSAGE),
        step=step,
        traceback=portable_text(traceback, len(traceback)) if traceback else None,
    )


def kind(error: BaseException) -> str:
    """The name of the class of an exception."""
    return error.told.type if isinstance(error, RaisedElsewhere) else type(error).__name__


def classes(error: BaseException) -> tuple[str, ...]:
    """The names of the class of an exception and of those that it is derived from, alone and with
    their modules.
    """
    if isinstance(error, RaisedElsewhere):
        return error.classes
    known = type(error).__mro__
    return (
        *(each.__name__ for each in known),
        *(f"{each.__module__}.{each.__qualname__}" for each in known),
    )


def sentence(error: BaseException) -> str:
    """The message of an exception, whatever its class makes of it."""
    try:
        return str(error) or f"{type(error).__name__} (without a message)"
    except Exception:  # `__str__` of a plan's class is a plan's code
        return f"{type(error).__name__} (its message cannot be read)"
