"""What annotations mean, as far as their source says so: nothing of a plan is run.

May import the standard library only.
"""

import ast
import decimal
import typing
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

CONTEXT: Final = "ActionContext"
"""What is meant by an annotation that asks for the context of the call."""
ANYTHING: Final = "Any"
OPAQUE: Final = "opaque"
"""What is meant by an annotation of which only is sure that it does not ask for the context: with
a class in it that may be an interface, nothing is checked in a run either.
"""

_TYPING: Final = ("typing", "typing_extensions", "collections.abc", "collections")
_TYPES: Final[Mapping[str, Any]] = {
    **{kind.__name__: kind for kind in (str, int, float, bool, list, dict, tuple, set, frozenset)},
    ANYTHING: Any,
    "typing.Sequence": Sequence,
    "typing.Mapping": Mapping,
    "datetime.datetime": datetime,
    "datetime.date": date,
    "datetime.time": time,
    "datetime.timedelta": timedelta,
    "pathlib.Path": Path,
    "decimal.Decimal": decimal.Decimal,
    "uuid.UUID": uuid.UUID,
}
_EARLIER_NAMES: Final = {
    "typing.List": "list",
    "typing.Dict": "dict",
    "typing.Tuple": "tuple",
    "typing.Set": "set",
    "typing.FrozenSet": "frozenset",
    "object": OPAQUE,
}
_SPECIAL: Final = frozenset(
    {"typing.Literal", "typing.Optional", "typing.Union", "typing.Annotated"}
)
_OF_OTHERS: Final = frozenset(
    {"list", "dict", "tuple", "set", "frozenset", "typing.Sequence", "typing.Mapping"}
)

TYPING_NAMES: Final[Mapping[str, str]] = {name: f"typing.{name}" for name in (ANYTHING, "Literal")}
"""What a module means that has `from typing import Any, Literal`."""


class ModuleNames:
    """What the names stand for that a module gives a meaning to; `known` are some more."""

    def __init__(self, module: ast.Module | None = None, known: Mapping[str, str] = {}) -> None:
        self._meanings: dict[str, str | None] = dict(known)
        """The whole name, or `OPAQUE` for a class; None where it cannot be told."""
        self.assigned: set[str] = set()
        """Names that get a value otherwise than by `def`, `class` or `import`."""
        for statement in module.body if module is not None else ():
            self._meanings |= _bound(statement)
            if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self.assigned |= set(_stored(statement))

    def word(self, node: ast.expr) -> str | None:
        """What is meant by a name, perhaps one in a module: a word of `_TYPES`, one of typing,
        `CONTEXT`, or `OPAQUE`. None if it may be anything, also `CONTEXT` by another name.
        """
        match node:
            case ast.Name(id=str(name)) | ast.Attribute(attr=str(name)) if name == CONTEXT:
                return CONTEXT
            case ast.Name(id=name):
                whole = self._meanings.get(name, name)
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                found = self._meanings.get(module)
                whole = found and f"{found}.{name}"
            case _:
                return None
        return _known(whole)


def meaning(node: ast.expr | None, names: ModuleNames) -> str | None:
    """The annotation in words that mean the same in every module (`int`, `list[Any]`), for
    `type_of`; `CONTEXT` if it asks for that, `OPAQUE` if it only is sure that it does not; None if
    it cannot be told.
    """
    found: str | None
    match node:
        case None:
            found = ANYTHING
        case ast.Constant(value=None):
            found = "None"
        case ast.Constant(value=str(text)):
            found = _meaning_of_text(text, names)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            found = _union([meaning(left, names), meaning(right, names)])
        case ast.Subscript(value=value, slice=ast.Tuple(elts=of)):
            found = _generic(names.word(value), of, names)
        case ast.Subscript(value=value, slice=of_one):
            found = _generic(names.word(value), [of_one], names)
        case _:
            word = names.word(node)
            found = None if word in _SPECIAL else word
    return found


def type_of(text: str) -> Any:
    """The type that `meaning` has put into words."""
    return _evaluated(ast.parse(text, mode="eval").body)


def _bound(statement: ast.stmt) -> dict[str, str | None]:
    """The names that a statement of a module binds."""
    match statement:
        case ast.Import(names=names):
            tops = [each.asname or each.name.partition(".")[0] for each in names]
            return {
                top: each.name if each.asname else top
                for top, each in zip(tops, names, strict=True)
            }
        case ast.ImportFrom(module=str(module), level=0, names=names):
            return {each.asname or each.name: f"{module}.{each.name}" for each in names}
        case ast.ClassDef(name=name):
            return {name: OPAQUE}
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return {name: None}
        case _:
            return dict.fromkeys(_stored(statement))


def _stored(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement gives a value, also one within it."""
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case _:
                pass


def _known(whole: str | None) -> str | None:
    if whole is None:
        return None
    module, _, name = whole.rpartition(".")
    if name == CONTEXT:
        return CONTEXT
    if module in _TYPING:
        whole = name if name == ANYTHING else f"typing.{name}"
    whole = _EARLIER_NAMES.get(whole, whole)
    if whole in _TYPES or whole in _SPECIAL:
        return whole
    return OPAQUE if whole == OPAQUE or whole.startswith("typing.") else None


def _meaning_of_text(text: str, names: ModuleNames) -> str | None:
    try:
        return meaning(ast.parse(text.strip(), mode="eval").body, names)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _generic(word: str | None, of: Sequence[ast.expr], names: ModuleNames) -> str | None:
    found = None if word is None else OPAQUE
    if not of:
        return found
    if word in _OF_OTHERS:
        inner = [_inner(each, names) for each in of]
        found = OPAQUE if OPAQUE in inner else f"{word}[{', '.join(inner)}]"
    elif word == "typing.Optional":
        found = _union([meaning(of[0], names), "None"])
    elif word == "typing.Union":
        found = _union([meaning(each, names) for each in of])
    elif word == "typing.Annotated":
        found = meaning(of[0], names)
    elif word == "typing.Literal" and all(isinstance(each, ast.Constant) for each in of):
        found = f"Literal[{', '.join(map(ast.unparse, of))}]"
    return found


def _inner(node: ast.expr, names: ModuleNames) -> str:
    """What an element is; no context stands in a list."""
    if isinstance(node, ast.Constant) and node.value is Ellipsis:
        return "..."
    found = meaning(node, names)
    return OPAQUE if found in {None, CONTEXT} else str(found)


def _union(parts: Sequence[str | None]) -> str | None:
    if CONTEXT in parts:
        return CONTEXT if set(parts) <= {CONTEXT, "None"} else None
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if OPAQUE in known:
        return OPAQUE
    return ANYTHING if ANYTHING in known else " | ".join(known)


def _evaluated(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.BinOp(left=left, right=right):
            return typing.Union[_evaluated(left), _evaluated(right)]  # noqa: UP007 - at run time
        case ast.Subscript(value=ast.Name(id="Literal"), slice=of):
            return typing.Literal[ast.literal_eval(of)]
        case ast.Subscript(value=kind, slice=ast.Tuple(elts=of)):
            return _TYPES[ast.unparse(kind)][tuple(map(_evaluated, of))]
        case ast.Subscript(value=kind, slice=of_one):
            return _TYPES[ast.unparse(kind)][_evaluated(of_one)]
        case _:
            return _TYPES[ast.unparse(node)]
