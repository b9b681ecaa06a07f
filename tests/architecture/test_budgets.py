"""Rule 5 of the design: how long a module, a function, a list of arguments, a class may grow.

Imports `source` only.
"""

import ast
from collections.abc import Iterator

from tests.architecture.source import Finding, Source, parsed, sources

MODULE_LINES = 400
FUNCTION_LINES = 50  # without the docstring: to explain must cost nothing
ARGUMENTS = 7  # without self and cls
PUBLIC_METHODS = 20

# What may go over: "path::name" (the module itself: "path") and the reason why it is better so.
EXCEPTIONS: dict[str, str] = {
    "aura_aio/engine/builtin/http.py::HttpActions.request": "its arguments are a step's parameters",
    "aura_aio/engine/builtin/shell.py::run": "its arguments are a step's parameters",
    "aura_aio/engine/builtin/runs.py::run_task": "its arguments are the words of a step",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def over_budget(source: Source) -> Iterator[tuple[str, Finding]]:
    """Everything in the file that is too large, with its key for EXCEPTIONS."""
    length = len(source.text.splitlines())
    if length > MODULE_LINES:
        yield source.path, Finding(1, f"{length} lines, at most {MODULE_LINES}")
    for name, node in _definitions(source.tree, ""):
        for what in _excess(node):
            yield f"{source.path}::{name}", Finding(node.lineno, f"{name} has {what}")


def _excess(node: Function | ast.ClassDef) -> Iterator[str]:
    if isinstance(node, ast.ClassDef):
        public = [
            part
            for part in node.body
            if isinstance(part, Function) and not part.name.startswith("_")
        ]
        if len(public) > PUBLIC_METHODS:
            yield f"{len(public)} public methods, at most {PUBLIC_METHODS}"
        return
    lines = _function_lines(node)
    if lines > FUNCTION_LINES:
        yield f"{lines} lines, at most {FUNCTION_LINES}"
    arguments = _arguments(node.args)
    if arguments > ARGUMENTS:
        yield f"{arguments} arguments, at most {ARGUMENTS}"


def _definitions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef):
            name = prefix + child.name
            yield name, child
            yield from _definitions(child, name + ".")
        elif not isinstance(child, ast.expr):  # in one there are no definitions
            yield from _definitions(child, prefix)


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _function_lines(node: Function) -> int:
    docstring = _lines(node.body[0]) if ast.get_docstring(node) is not None else 0
    return _lines(node) - docstring


def _arguments(arguments: ast.arguments) -> int:
    positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    if positional and positional[0] in {"self", "cls"}:
        positional = positional[1:]
    rest = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    return len(positional) + len(arguments.kwonlyargs) + len(rest)


def test_nothing_is_over_its_budget() -> None:
    found = [
        f"{source.path}:{finding.line}: {finding.what}"
        for source in sources("aura_aio", "scripts")
        for key, finding in over_budget(source)
        if key not in EXCEPTIONS
    ]
    advice = (
        "Split it where the words of the design split; if it is really better whole, add it with "
        "the reason to EXCEPTIONS in tests/architecture/test_budgets.py:"
    )
    assert not found, "\n".join([advice, *found])


def test_every_exception_is_still_needed() -> None:
    over = {key for source in sources("aura_aio", "scripts") for key, _ in over_budget(source)}
    assert not EXCEPTIONS.keys() - over, "remove what is within its budget from EXCEPTIONS"


def test_each_budget_is_exact() -> None:
    def found(text: str) -> list[str]:
        return [key for key, _ in over_budget(parsed("m.py", text))]

    def function(lines: int, docstring: str = "") -> str:
        return "def f():\n" + docstring + "    x = 1\n" * (lines - 1)

    def method(arguments: int) -> str:
        names = [f"a{number}" for number in range(arguments - 1)]
        return f"class C:\n    def m(self, {', '.join(names)}, *more): ..."

    def klass(methods: int) -> str:
        return "class C:\n    def _p(self): ...\n" + "".join(
            f"    async def m{number}(self): ...\n" for number in range(methods)
        )

    assert found("x = 1\n" * MODULE_LINES) == []
    assert found("x = 1\n" * (MODULE_LINES + 1)) == ["m.py"]
    assert found(function(FUNCTION_LINES, '    """One.\n\n    Two."""\n')) == []
    assert found(function(FUNCTION_LINES + 1)) == ["m.py::f"]
    assert found(method(ARGUMENTS)) == []
    assert found(method(ARGUMENTS + 1)) == ["m.py::C.m"]
    assert found(klass(PUBLIC_METHODS)) == []
    assert found(klass(PUBLIC_METHODS + 1)) == ["m.py::C"]
