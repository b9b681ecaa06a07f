"""Fits the parameters of a step to the function that it calls.

May import model.suggestions, and of `engine` `context`, `conversion` and `failures`.
"""

import functools
import inspect
import typing
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from aura_aio.catalog.conversion import Conversion, Misfit, bare
from aura_aio.engine.context import ActionContext
from aura_aio.engine.failures import BadParameters
from aura_aio.model.suggestions import did_you_mean

_NAMED: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_UNKNOWN: Final = object()


class Binder:
    """What a function takes; made once for each action."""

    def __init__(self, action: str, function: Callable[..., Any]) -> None:
        """Read the signature of `function`.

        Raises:
            BadParameters: it has one that cannot be filled by name.
        """
        self.is_async = inspect.iscoroutinefunction(function)
        """Whether a call of it is to be awaited."""
        self._action = action
        self._conversions: dict[str, Conversion | None] = {}
        self._required: set[str] = set()
        self._context: str | None = None
        self._takes_more = False
        hints = _hints(function)
        for name, parameter in _signature(action, function).parameters.items():
            hint = hints.get(name, _UNKNOWN)
            if bare(hint) is ActionContext or (name == "context" and hint is _UNKNOWN):
                self._context = name
            elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
                self._takes_more = True
            elif parameter.kind in _NAMED:
                self._conversions[name] = None if hint is Any else Conversion.to(hint)
                if parameter.default is inspect.Parameter.empty:
                    self._required.add(name)
            elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
                raise BadParameters(
                    f"Action {action!r} takes {name!r} by position only: remove the '/'."
                )

    @property
    def gives_context(self) -> bool:
        """Whether the function asks for the context."""
        return self._context is not None

    def bind(self, given: dict[str, Any], context: ActionContext) -> dict[str, Any]:
        """The keyword arguments for a call: `given`, converted by the annotations, and the context
        if the function asks for it.

        Raises:
            BadParameters: one is unknown, is missing, or does not fit its annotation; names all.
        """
        faults = [
            f"it has no parameter {name!r}.{did_you_mean(name, self._conversions)}"
            for name in given
            if name not in self._conversions and not self._takes_more
        ]
        faults += [
            f"the parameter {name!r} is missing."
            for name in self._conversions
            if name in self._required and name not in given
        ]
        arguments = dict(given)
        for name, value in given.items():
            conversion = self._conversions.get(name)
            try:
                if conversion is not None:
                    arguments[name] = conversion.of(value)
            except Misfit as misfit:
                end = "" if str(misfit).endswith(("?", ".")) else "."
                faults.append(f"the parameter {name + misfit.place!r} does not fit: {misfit}{end}")
        if faults:
            raise BadParameters(f"Action {self._action!r}: {' '.join(faults)}")
        if self._context is not None:
            arguments[self._context] = context
        return arguments


def _signature(action: str, function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise BadParameters(f"Action {action!r} has no signature: {error}") from error


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of a function, but for those that name something which is not there at run
    time (because it is imported under `TYPE_CHECKING`): such parameters are passed as they are.
    """
    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function):
        function = type(function).__call__
    names = getattr(inspect.unwrap(function), "__globals__", {})
    hints: dict[str, Any] = {}
    for name, hint in getattr(function, "__annotations__", {}).items():
        alone = SimpleNamespace(__annotations__={name: hint})
        try:
            hints |= typing.get_type_hints(alone, names, include_extras=True)
        except Exception:  # an annotation is a plan's code
            if isinstance(hint, str) and hint.rpartition(".")[2] == ActionContext.__name__:
                hints[name] = ActionContext
    return hints
