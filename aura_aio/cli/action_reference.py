"""The reference page of the built-in actions, made from their signatures and docstrings.

May import `engine.builtin`, `engine.context`, `engine.conversion` and the standard library.
"""

import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any, Final

from aura_aio.catalog.conversion import bare
from aura_aio.engine.builtin import builtin_actions
from aura_aio.engine.context import ActionContext

_WORDS: Final = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "dict",
    list: "list",
}
_INTRODUCTION: Final = (
    "The actions that every plan has. A step calls them by their names, as it calls the actions of "
    "its plan ([how to write those](../how-to/write-actions.md)); where a plan has an action of "
    "the same name, that one is called."
)
_TYPES: Final = (
    "The types are those of a task's inputs. A parameter with a default may be left out. What an "
    "action gives is the step's `output`. What it can fail with are the names that `retry_on` "
    "knows; with `BadParameters`, a step fails at once and is not retried."
)

EXAMPLES: Final = {
    "fail": 'params: {message: "There is nothing to report."}',
    "file.read": "params: {path: reports/latest.csv, encoding: latin-1}",
    "file.write": 'params: {path: log.txt, content: "{{ run.cid }}\\n", append: true}',
    "http.get": 'params: {url: "https://example.org/api", params: {page: [1, 2]}, expect: 2xx}',
    "http.post": 'params: {url: "https://example.org/api", json: {name: Ada}, expect: [200, 201]}',
    "http.request": """params:
  method: PUT
  url: https://example.org/api/7
  headers: {Authorization: "Bearer {{ inputs.token }}"}
  data: {name: Ada}
on_exception: {retry: 3, retry_on: [UnexpectedStatus, TimeoutError], delay: 1}
""",
    "json.query": """params:
  data: {items: [{name: pen, price: 2}, {name: desk, price: 200}]}
  query: "items[?price > `10`].name"
""",
    "log": 'params: {message: "{{ inputs.token | length }} characters", level: warning}',
    "set": "params: {name: Ada, numbers: [1, 2, 3]}",
    "shell.run": "params: {command: [git, clone, --depth, 1, https://example.org/it.git], cwd: .}",
    "sleep": "params: {seconds: 1.5}",
    "wait.for_event": "params: {task: import, status: succeeded, timeout_sec: 3600}",
}
"""What else stands in a step that calls the action, as YAML."""


def action_blocks() -> Iterator[str]:
    """The page, block by block."""
    yield "# Built-in actions"
    yield _INTRODUCTION
    yield _TYPES
    for name, action in sorted(builtin_actions(allow_shell=True).items()):
        yield from _action(name, action.function)
        if action.isolation is not None:
            yield (
                "Each call is made in [a process of its own]"
                "(../how-to/write-actions.md#in-a-process-of-its-own)."
            )
        if name in EXAMPLES:
            yield f"```yaml\naction: {name}\n{EXAMPLES[name].rstrip()}\n```"


def _action(name: str, function: Callable[..., Any]) -> Iterator[str]:
    text, raises = _split(inspect.getdoc(function) or "")
    hints = typing.get_type_hints(function)
    yield f"## {name}"
    yield from (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    rows = [
        f"| {_name(parameter)} | {_kind(hints[parameter.name])} | {_default(parameter)} |"
        for parameter in inspect.signature(function).parameters.values()
        if bare(hints[parameter.name]) is not ActionContext
    ]
    if rows:
        yield "\n".join(["| parameter | type | default |", "|---|---|---|", *rows])
    yield f"Gives: {_kind(hints['return'])}"
    if raises:
        yield "\n".join(["Fails with:\n", *(f"- `{kind}`: {why}" for kind, why in raises)])


def _split(doc: str) -> tuple[str, list[tuple[str, str]]]:
    """The text of a docstring, and what the action raises, with when it does."""
    text, _, raises = doc.partition("Raises:\n")
    found = re.findall(r"^    ([\w.]+): (.*(?:\n        .*)*)", raises, re.MULTILINE)
    return text.strip(), [(kind, " ".join(why.split())) for kind, why in found]


def _name(parameter: inspect.Parameter) -> str:
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return "any others"
    return f"`{parameter.name}`"


def _default(parameter: inspect.Parameter) -> str:
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return ""
    match parameter.default:
        case inspect.Parameter.empty:
            return "required"
        case None:
            return "none"
        case bool(value):
            return f"`{str(value).lower()}`"
        case "":
            return "empty"
        case value:
            return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _kind(hint: Any) -> str:
    """The type of a value, in the words of the task language."""
    words = _words(bare(hint))
    return "nothing" if words == "nothing" else f"`{words}`"


def _words(hint: Any) -> str:
    if hint is types.NoneType:
        return "nothing"
    of = typing.get_args(hint)
    origin = typing.get_origin(hint) or hint
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_words(each) for each in of if each is not types.NoneType)
    if origin is list and of:
        return f"list<{_words(of[0])}>"
    return _WORDS.get(origin, "any")
