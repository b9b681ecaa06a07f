"""The actions of a plan as callables: the only place that runs a plan's code to get at it.

May import model, msgspec, and of `catalog` `plan_modules` and `tracebacks`. `load_actions` is for
workers only.
"""

import hashlib
import importlib
import logging
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, Final

import msgspec

from aura_aio.catalog.plan_modules import PACKAGE_PREFIX, find_plan_modules, forget_modules
from aura_aio.catalog.tracebacks import plan_traceback
from aura_aio.model.plan import ActionSpec, Isolation
from aura_aio.model.run import RunError

_at_a_time: Final = Lock()
"""Of several threads that load plans: `import` forgets what led nowhere, and raises KeyError if
another thread has done so meanwhile."""


class LoadedAction(msgspec.Struct, frozen=True):
    """An action that can be called; `failure` says why it cannot, if its module did not import, or
    it is off.

    `timeout_sec` bounds each call, unless the step says otherwise. With `isolation`, every call is
    made in a process of its own, and `function` may be a stand-in. `plan_root` and `spec` are where
    that process finds it, in its plan; built-in actions are in none.
    """

    name: str
    function: Callable[..., Any]
    timeout_sec: float | None = None
    failure: RunError | None = None
    isolation: Isolation | None = None
    plan_root: str | None = None
    spec: ActionSpec | None = None


def load_actions(plan_root: Path, specs: Iterable[ActionSpec]) -> dict[str, LoadedAction]:
    """Import the modules of a plan's actions; may take seconds, so call it in a thread.

    The plan's folder is a package of its own, under a name that no other plan has: two plans may
    have modules of the same name, and relative imports work. What was imported from this folder
    before is imported anew. A module that fails makes only its own actions fail. One whose actions
    are all made in processes of their own is not imported at all: these do it themselves. What the
    plan's own loggers (`logging.getLogger(__name__)`) say is let through at every level.
    """
    package = _fresh_package(plan_root)
    modules: dict[str, ModuleType | RunError] = {}
    loaded: dict[str, LoadedAction] = {}
    for spec in specs:
        if spec.isolation is not None:
            loaded[spec.name] = _loaded(plan_root, spec, _not_loaded)
            continue
        if spec.module not in modules:
            modules[spec.module] = _import(package, spec.module)
        loaded[spec.name] = _action(plan_root, spec, modules[spec.module])
    return loaded


def load_action(plan_root: Path, spec: ActionSpec) -> LoadedAction:
    """Import the module of one action, whatever its isolation: for the process that calls it."""
    return _action(plan_root, spec, _import(_fresh_package(plan_root), spec.module))


def _fresh_package(plan_root: Path) -> str:
    root = plan_root.resolve()
    digest = hashlib.sha256(str(root).encode()).hexdigest()[:8]
    name = f"{PACKAGE_PREFIX}{re.sub(r'[^0-9A-Za-z_]', '_', root.name)}_{digest}"
    package = ModuleType(name)
    package.__path__ = [str(root)]
    with _at_a_time:
        forget_modules(name)
        find_plan_modules(root.name, name)
        sys.modules[name] = package
        importlib.invalidate_caches()
    logging.getLogger(name).setLevel(logging.DEBUG)
    return name


def _import(package: str, file: str) -> ModuleType | RunError:
    parts = file.removesuffix(".py").removesuffix("/__init__").split("/")
    try:
        return importlib.import_module(".".join((package, *parts)))
    except (Exception, SystemExit) as error:  # a module of a plan may raise what it likes
        return RunError(
            type=type(error).__name__,
            message=f"The module {file} cannot be imported: {error}",
            traceback=plan_traceback(error),
        )


def _action(plan_root: Path, spec: ActionSpec, module: ModuleType | RunError) -> LoadedAction:
    if isinstance(module, RunError):
        return _loaded(plan_root, spec, _not_loaded, module)
    function = getattr(module, spec.function, None)
    if callable(function):
        return _loaded(plan_root, spec, function)
    message = f"The module {spec.module} has no function {spec.function!r} after its import."
    failure = RunError(type="AttributeError", message=message)
    return _loaded(plan_root, spec, _not_loaded, failure)


def _loaded(
    plan_root: Path,
    spec: ActionSpec,
    function: Callable[..., Any],
    failure: RunError | None = None,
) -> LoadedAction:
    return LoadedAction(
        name=spec.name,
        function=function,
        timeout_sec=spec.timeout_sec,
        failure=failure,
        isolation=spec.isolation,
        plan_root=str(plan_root),
        spec=spec,
    )


def _not_loaded() -> None:
    """Stands in for the function of an action that was not imported."""
