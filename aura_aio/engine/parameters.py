"""Fits the parameters of a step to the function that it calls.

May import model.errors, msgspec, and of `engine` `context` and `failures`.
"""

import functools
import inspect
import typing
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any, Final

import msgspec

from aura_aio.engine.context import ActionContext
from aura_aio.engine.failures import BadParameters
from aura_aio.model.errors import did_you_mean

_NAMED: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_ANYTHING: Final = object()


class Binder:
    """What a function takes; made once for each action."""

    def __init__(self, action: str, function: Callable[..., Any]) -> None:
        """Read the signature of `function`.

        Raises:
            BadParameters: it has one that cannot be filled by name.
        """
        self._action = action
        self._types: dict[str, Any] = {}
        self._required: set[str] = set()
        self._context: str | None = None
        self._takes_more = False
        hints = _hints(function)
        for name, parameter in _signature(action, function).parameters.items():
            hint = hints.get(name, _ANYTHING)
            if hint is ActionContext or (name == "context" and hint is _ANYTHING):
                self._context = name
            elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
                self._takes_more = True
            elif parameter.kind in _NAMED:
                self._types[name] = hint
                if parameter.default is inspect.Parameter.empty:
                    self._required.add(name)
            elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
                raise BadParameters(
                    f"Action {action!r} takes {name!r} by position only: remove the '/'."
                )

    def bind(self, given: dict[str, Any], context: ActionContext) -> dict[str, Any]:
        """The keyword arguments for a call: `given`, converted by the annotations, and the context
        if the function asks for it.

        Raises:
            BadParameters: one is unknown, is missing, or does not fit its annotation; names all.
        """
        faults = [
            f"it has no parameter {name!r}.{did_you_mean(name, self._types)}"
            for name in given
            if name not in self._types and not self._takes_more
        ]
        faults += [
            f"the parameter {name!r} is missing."
            for name in self._types
            if name in self._required and name not in given
        ]
        arguments: dict[str, Any] = {}
        for name, value in given.items():
            try:
                arguments[name] = _convert(value, self._types.get(name, _ANYTHING))
            except msgspec.ValidationError as error:
                faults.append(f"the parameter {name!r} does not fit: {error}.")
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
    """The annotations of a function. One that names something that is not there at run time (under
    `TYPE_CHECKING`) leaves all of them unknown, so parameters are passed as they are.
    """
    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function):
        function = type(function).__call__
    try:
        return typing.get_type_hints(function)
    except Exception:  # an annotation is a plan's code
        annotations = getattr(function, "__annotations__", {})
        return {
            name: ActionContext
            for name, hint in annotations.items()
            if isinstance(hint, str) and hint.rpartition(".")[2] == ActionContext.__name__
        }


def _convert(value: Any, hint: Any) -> Any:
    """`value` as the annotation wants it; unchanged where msgspec does not know the annotation."""
    if hint is _ANYTHING or hint is Any:
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool) and _is_text(hint):
        return str(value)
    try:
        return msgspec.convert(value, hint, strict=False, dec_hook=_path)
    except TypeError:
        return value


def _is_text(hint: Any) -> bool:
    """Whether an annotation takes text and no numbers."""
    kinds = set(typing.get_args(hint)) - {type(None)} or {hint}
    return kinds == {str}


def _path(kind: type, value: Any) -> Any:
    if isinstance(value, str) and issubclass(kind, PurePath):
        return Path(value) if kind is Path else kind(value)
    if isinstance(value, kind):
        return value
    raise msgspec.ValidationError(f"Expected `{kind.__name__}`, got `{type(value).__name__}`")
