"""The decorators that make a function of a plan an action.

May import the standard library only.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Any])


@overload
def action(function: F, /) -> F: ...


@overload
def action(
    *,
    name: str | None = None,
    timeout: float | None = None,
    isolation: Literal["process"] | None = None,
    **more: Any,
) -> Callable[[F], F]: ...


def action(function: F | None = None, /, **_declaration: Any) -> F | Callable[[F], F]:
    """Make a function an action of its plan: `@action`, or `@action(name=…)` as `action_info`.

    The function stays as it is. The decorator is only looked for, by the catalog, which reads the
    file without running it: so what is declared must be written out, not computed.
    """
    if function is not None:
        return function
    return _unchanged


def action_info(
    name: str | None = None,
    *,
    timeout: float | None = None,
    isolation: Literal["process"] | None = None,
    **_more: Any,
) -> Callable[[F], F]:
    """Make a function an action called `name` (default: as the function) of its plan.

    `timeout` bounds each call, in seconds, where the step says nothing. With `isolation="process"`
    every call is made in a process of its own, which can be ended whatever it does. Other words
    that the earlier Aura knew (`public`, `read_only`, `description`) are taken and mean nothing.
    """
    return _unchanged


def _unchanged(function: F) -> F:
    return function
