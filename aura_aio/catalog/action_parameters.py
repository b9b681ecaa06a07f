"""What a function takes by name, read from its source: nothing of it is run.

May import model, `catalog.action_types` and the standard library only.
"""

import ast
from collections.abc import Iterator
from typing import Final

from aura_aio.catalog.action_types import CONTEXT, ModuleNames, meaning
from aura_aio.model.plan import ActionParameter, Signature

_CONTEXT_NAME: Final = "context"

Function = ast.FunctionDef | ast.AsyncFunctionDef
_Parameter = tuple[ast.arg, ast.expr | None]
"""A parameter, and its default."""


def parameters_of(node: Function, names: ModuleNames) -> tuple[ActionParameter, ...]:
    """The parameters that a step can give, as they are written; `**` takes all others."""
    found = [
        ActionParameter(
            name=argument.arg,
            type=_text(argument.annotation),
            required=default is None,
            default=_text(default),
        )
        for argument, default in _named(node.args)
        if not _is_context(argument, names)
    ]
    more = node.args.kwarg
    if more is not None:
        kind = _text(more.annotation)
        found.append(ActionParameter(name="**" + more.arg, type=kind, required=False))
    return tuple(found)


def signature_of(node: Function, names: ModuleNames) -> Signature | None:
    """What of that is sure; None if it is called in another way. `names` are its module's."""
    if node.args.posonlyargs or node.name in names.assigned:
        return None
    named = [each for each in _named(node.args) if not _is_context(each[0], names)]
    types = {argument.arg: meaning(argument.annotation, names) for argument, _ in named}
    return Signature(
        types=types,
        required=tuple(
            argument.arg
            for argument, default in named
            if default is None and types[argument.arg] is not None
        ),
        takes_more=node.args.kwarg is not None,
    )


def _named(arguments: ast.arguments) -> Iterator[_Parameter]:
    named = [*arguments.posonlyargs, *arguments.args]
    without: list[ast.expr | None] = [None] * (len(named) - len(arguments.defaults))
    defaults = [*without, *arguments.defaults, *arguments.kw_defaults]
    yield from zip([*named, *arguments.kwonlyargs], defaults, strict=True)


def _is_context(argument: ast.arg, names: ModuleNames) -> bool:
    """Whether it is filled by Aura: by its type, or by its name where it has none."""
    if argument.annotation is None:
        return argument.arg == _CONTEXT_NAME
    return meaning(argument.annotation, names) == CONTEXT


def _text(node: ast.expr | None) -> str | None:
    """Source text; what UTF-8 cannot carry is left as an escape."""
    return None if node is None else ast.unparse(node).encode(errors="backslashreplace").decode()
