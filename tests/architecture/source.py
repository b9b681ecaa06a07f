"""The source of the project as syntax trees, for the tests about its shape.

Imports the standard library only; nothing of aura_aio is imported to look at it.
"""

import ast
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]


class Source(NamedTuple):
    """One file; `path` is relative to the repository, with slashes on every system. `nodes` are all
    of its `tree`.
    """

    path: str
    text: str
    tree: ast.Module
    nodes: Sequence[ast.AST]


class Finding(NamedTuple):
    """A place that breaks a rule."""

    line: int
    what: str


def sources(*folders: str) -> Sequence[Source]:
    """Every Python file below `folders`, those of each sorted; each is parsed once."""
    return [source for folder in folders for source in _below(folder)]


@cache
def _below(folder: str) -> Sequence[Source]:
    files = sorted((REPOSITORY / folder).rglob("*.py"))
    assert files, f"no Python file below {folder}: a rule that looks at nothing holds always"
    return [
        parsed(file.relative_to(REPOSITORY).as_posix(), file.read_text("utf-8")) for file in files
    ]


def parsed(path: str, text: str) -> Source:
    """A source from its text."""
    tree = ast.parse(text, path)
    return Source(path, text, tree, tuple(ast.walk(tree)))


@cache
def names(source: Source) -> Sequence[tuple[int, str]]:
    """Every dotted name that the file uses, with its line, as the imports of the file resolve it.

    After `from datetime import datetime as dt`, `dt.now` is `datetime.datetime.now`. What a call
    gave is `()`: `asyncio.get_running_loop().create_task` is `().create_task` (and the inner name).
    """
    imported = _imported(source.nodes)
    parts = {id(node.value) for node in source.nodes if isinstance(node, ast.Attribute)}
    return [
        (node.lineno, _dotted(node, imported))
        for node in source.nodes
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in parts
    ]


def _dotted(node: ast.expr, imported: dict[str, str]) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, imported)}.{node.attr}"
    if isinstance(node, ast.Name):
        return imported.get(node.id, node.id)
    return "()"


def _imported(nodes: Sequence[ast.AST]) -> dict[str, str]:
    found = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update({name.asname: name.name for name in node.names if name.asname})
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for name in node.names:
                found[name.asname or name.name] = f"{node.module}.{name.name}"
    return found
