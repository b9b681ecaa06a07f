"""What a function takes by name, read from its source: nothing of it is run.

May import model and the standard library only.
"""

import ast
from collections.abc import Iterator
from typing import Final

from aura_aio.model.plan import ActionParameter

_CONTEXT: Final = "ActionContext"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def parameters_of(node: Function) -> tuple[ActionParameter, ...]:
    """The parameters that a step can give, as they are written; `**` takes all others."""
    return tuple(_parameters(node.args))


def _parameters(arguments: ast.arguments) -> Iterator[ActionParameter]:
    named = [*arguments.posonlyargs, *arguments.args]
    without: list[ast.expr | None] = [None] * (len(named) - len(arguments.defaults))
    defaults = [*without, *arguments.defaults, *arguments.kw_defaults]
    for argument, default in zip([*named, *arguments.kwonlyargs], defaults, strict=True):
        if not _is_context(argument):
            yield ActionParameter(
                name=argument.arg,
                type=_text(argument.annotation),
                required=default is None,
                default=_text(default),
            )
    if arguments.kwarg is not None:
        kind = _text(arguments.kwarg.annotation)
        yield ActionParameter(name="**" + arguments.kwarg.arg, type=kind, required=False)


def _is_context(argument: ast.arg) -> bool:
    """Whether it is filled by Aura: by its type, or by its name where it has none."""
    match argument.annotation:
        case None:
            return argument.arg == "context"
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=name):
            return name == _CONTEXT
        case _:
            return False


def _text(node: ast.expr | None) -> str | None:
    """Source text; what UTF-8 cannot carry is left as an escape."""
    return None if node is None else ast.unparse(node).encode(errors="backslashreplace").decode()
