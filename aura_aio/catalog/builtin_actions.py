"""The built-in actions as tasks may call them: `engine.builtin` holds them (a test compares).

May import model, and of `catalog` `action_parameters` and `action_types`.
"""

import ast
from collections.abc import Mapping
from typing import Final

from aura_aio.catalog.action_parameters import Function, signature_of
from aura_aio.catalog.action_types import TYPING_NAMES, ModuleNames
from aura_aio.model.plan import Signature

_REQUEST: Final = "headers: dict[str, str] | None = None, params: dict[str, Any] | None = None"
_ANSWER: Final = "timeout: float = 30, expect: int | str | list[int | str] | None = None"

_TAKEN: Final = {
    "log": "message: Any, level: str = 'info', data: dict[str, Any] | None = None",
    "sleep": "seconds: float",
    "fail": "message: str = ''",
    "set": "**values: Any",
    "http.get": f"url: str, {_REQUEST}, {_ANSWER}, redirects: bool = True",
    "http.post": "url: str, json: Any = None, data: str | dict[str, Any] | None = None, "
    f"{_REQUEST}, {_ANSWER}",
    "http.request": f"url: str, method: str = 'GET', {_REQUEST}, *, json: Any = None, "
    f"data: str | dict[str, Any] | None = None, {_ANSWER}, redirects: bool = True",
    "file.read": "path: str, encoding: str = 'utf-8', max_bytes: int = 0",
    "file.write": "path: str, content: str, encoding: str = 'utf-8', append: bool = False",
    "json.query": "data: Any, query: str",
    "shell.run": "command: list[str] | str, *, cwd: str = '.', env: dict[str, str] | None = None, "
    "input: str = '', timeout_sec: float | None = None, check: bool = True, shell: bool = False",
    "aura.run_task": "*, task: str | None = None, plan_name: str | None = None, "
    "inputs: dict[str, Any] | None = None, wait: bool = True, must_succeed: bool = True, "
    "priority: int | None = None, timeout_sec: float | None = None, "
    "labels: dict[str, str] | None = None, task_ref: str | None = None",
    "wait.for_event": "event: str = 'run.finished', *, plan: str | None = None, "
    "task: str | None = None, cid: str | None = None, status: str | list[str] | None = None, "
    "timeout_sec: float | None = None",
}
"""What each takes besides the context, as its function declares it."""


def _signature(taken: str) -> Signature:
    (node,) = ast.parse(f"def action({taken}): ...").body
    names = ModuleNames(known=TYPING_NAMES)
    found = signature_of(node, names) if isinstance(node, Function) else None
    if found is None:
        raise TypeError(f"the signature ({taken}) cannot be called by name")
    return found


BUILTIN_ACTIONS: Final[Mapping[str, Signature]] = {
    name: _signature(taken) for name, taken in _TAKEN.items()
}
"""The actions that every plan has, by name."""
