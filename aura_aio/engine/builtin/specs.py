"""The built-in actions as clients see them: names, parameters, docstrings.

May import catalog (for how a function is read), model, and `engine.builtin`.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from aura_aio.catalog.action_parameters import Function, parameters_of
from aura_aio.catalog.action_types import ModuleNames
from aura_aio.engine.builtin import builtin_actions
from aura_aio.model.plan import ActionSpec


def builtin_specs(*, allow_shell: bool) -> tuple[ActionSpec, ...]:
    """Those that can be called, by name. Reads their source files: call it in a thread."""
    actions = builtin_actions(allow_shell=allow_shell)
    return tuple(
        ActionSpec(
            name=name,
            module=action.function.__module__,
            function=action.function.__name__,
            doc=inspect.getdoc(action.function),
            timeout_sec=action.timeout_sec,
            isolation=action.isolation,
            parameters=parameters_of(_node(action.function), ModuleNames()),
        )
        for name, action in sorted(actions.items())
        if action.failure is None
    )


def _node(function: Callable[..., Any]) -> Function:
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    if not isinstance(node, Function):
        raise TypeError(f"{function!r} is no function that was written with def")
    return node
