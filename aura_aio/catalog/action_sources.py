"""Finds the actions of a plan without running its code: by reading the Python files.

May import model, msgspec, and of `catalog` `action_parameters`, `action_types`, `files`,
`manifest`, `marks`, `place` and `references`.
"""

import ast
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from aura_aio.catalog.action_parameters import Function, parameters_of, signature_of
from aura_aio.catalog.action_types import ModuleNames
from aura_aio.catalog.files import FileRefused, PlanFolder
from aura_aio.catalog.manifest import ExportedAction, Manifest
from aura_aio.catalog.marks import Mark
from aura_aio.catalog.place import MAX_SECONDS, Faults
from aura_aio.catalog.references import NAME_RULE, is_name
from aura_aio.model.plan import ActionSpec, Isolation, LoadError
from aura_aio.model.suggestions import did_you_mean

_FOLDERS: Final = ("actions", "src/actions")
_SINGLE_FILE: Final = "actions.py"
_DECORATORS: Final = frozenset({"action", "action_info"})


class FoundActions(NamedTuple):
    """The actions of a plan by name, what is wrong with its Python files, those of them that are no
    Python at all, and the files of functions that lack a decorator, by the names of these.
    """

    actions: dict[str, ActionSpec]
    errors: list[LoadError]
    unread: set[str]
    bare: dict[str, str]


def find_actions(folder: PlanFolder, manifest: Manifest) -> FoundActions:
    """Look through the Python files of a plan.

    Actions are the functions decorated with `@action` or `@action_info(...)` in `actions/`,
    `actions.py` and `src/actions/`, and those that the manifest exports. What the manifest says of
    an action that is decorated, too, holds where its decorator says nothing.
    """
    search = _Search(folder)
    for file in search.files():
        search.add_decorated(file)
    for exported in manifest.actions:
        search.add_exported(exported)
    return FoundActions(search.found, search.errors, search.unread, search.bare)


class _Module(NamedTuple):
    """What is in a Python file."""

    functions: dict[str, Function]
    names: ModuleNames


class _Search:
    """One look through the Python files of a plan; each is parsed once."""

    def __init__(self, folder: PlanFolder) -> None:
        self._folder = folder
        self._modules: dict[str, _Module] = {}
        self.unread: set[str] = set()
        self.bare: dict[str, str] = {}
        self.found: dict[str, ActionSpec] = {}
        self.errors: list[LoadError] = []

    def files(self) -> Iterator[str]:
        """The files in which decorated functions are actions."""
        if self._folder.has(_SINGLE_FILE):
            if not self._folder.is_folder("actions"):
                yield _SINGLE_FILE
            else:
                message = "There is a folder 'actions' too: Python would import only one of them."
                self.errors.append(LoadError(file=_SINGLE_FILE, message=message))
        for each in _FOLDERS:
            yield from self._folder.files_below(each, (".py",))

    def add_decorated(self, file: str) -> None:
        """Add the actions that the file declares."""
        faults = Faults(file)
        functions, names = self._module(file, faults)
        for node in functions.values():
            if not node.decorator_list:
                self.bare.setdefault(node.name, file)
            for decorator in node.decorator_list:
                if _name_of(decorator) in _DECORATORS:
                    spec = _declared(_spec(node, file, names), decorator, faults)
                    self._add(spec, node, faults)
        self.errors.extend(faults.in_order())

    def add_exported(self, exported: ExportedAction) -> None:
        """Add an action of the manifest; it needs no decorator."""
        file = self._file_of(exported.module)
        if file is None:
            exported.place.fault(f"There is no module {exported.module!r} in this plan.")
            return
        faults = Faults(file)
        functions, names = self._module(file, faults)
        node = functions.get(exported.function)
        if node is None and file in self.unread:
            pass  # what is in it cannot be told, and that has been said
        elif node is None:
            suggestion = did_you_mean(exported.function, functions)
            exported.place.fault(
                f"There is no function {exported.function!r} in {file}.{suggestion}"
            )
        else:
            spec = replace(
                _spec(node, file, names),
                name=exported.name,
                timeout_sec=exported.timeout_sec,
                isolation=exported.isolation,
            )
            self._add(spec, node, faults)
        self.errors.extend(faults.in_order())

    def _module(self, file: str, faults: Faults) -> _Module:
        if file not in self._modules:
            tree = _parse(self._folder, file, faults)
            if tree is None:
                self.unread.add(file)
            body = tree.body if tree is not None else ()
            functions = {node.name: node for node in body if isinstance(node, Function)}
            self._modules[file] = _Module(functions, ModuleNames(tree))
        return self._modules[file]

    def _add(self, spec: ActionSpec | None, node: Function, faults: Faults) -> None:
        if spec is None:
            return
        other = self.found.setdefault(spec.name, spec)
        if (other.module, other.function) != (spec.module, spec.function):
            faults.add(
                f"There is another action {spec.name!r}: {other.function} in {other.module}.",
                Mark(node.lineno, node.col_offset + 1),
            )
            return
        self.found[spec.name] = replace(
            other,
            timeout_sec=spec.timeout_sec if other.timeout_sec is None else other.timeout_sec,
            isolation=spec.isolation if other.isolation is None else other.isolation,
        )

    def _file_of(self, module: str) -> str | None:
        """The file of `src.actions.greet`, `plans.hello.src.actions.greet` (as the earlier Aura
        wrote it) or `src/actions/greet.py`.
        """
        paths = [module]
        if not module.endswith(".py"):
            parts = module.split(".")
            paths = ["/".join(parts[start:]) + ".py" for start in (0, 2) if parts[start:]]
        for path in paths:
            if ".." not in path and not path.startswith("/") and self._folder.has(path):
                return path
        return None


def _parse(folder: PlanFolder, file: str, faults: Faults) -> ast.Module | None:
    try:
        return ast.parse(folder.read(file), filename=file)
    except FileRefused as error:
        faults.add(str(error))
    except SyntaxError as error:
        mark = Mark(max(1, error.lineno or 1), max(1, error.offset or 1))
        faults.add(f"This is no Python: {error.msg}.", mark)
    except (RecursionError, MemoryError):
        faults.add("This Python is nested too deeply.")
    except ValueError as error:
        faults.add(f"This is no Python: {error}.")
    return None


def _name_of(decorator: ast.expr) -> str | None:
    match decorator.func if isinstance(decorator, ast.Call) else decorator:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="aura_aio"), attr=name):
            return name
        case _:
            return None


def _declared(spec: ActionSpec, decorator: ast.expr, faults: Faults) -> ActionSpec | None:
    """`spec` with what the decorator of its function declares; None if that is wrong."""
    mark = Mark(decorator.lineno, decorator.col_offset + 1)
    given = _literals(decorator, faults) if isinstance(decorator, ast.Call) else {}
    name = given.get("name") or spec.function
    timeout = given.get("timeout")
    if not isinstance(name, str) or not is_name(name):
        faults.add(f"An action cannot be called {name!r}: {NAME_RULE}.", mark)
        return None
    isolation = given.get("isolation")
    if isolation is not None and isolation not in list(Isolation):
        faults.add(f"'isolation' is 'process', or left out; not {isolation!r}.", mark)
        return None
    if timeout is not None and not (
        isinstance(timeout, (int, float)) and 0 < timeout <= MAX_SECONDS
    ):
        faults.add("The timeout is no number of seconds above 0.", mark)
        return None
    return replace(
        spec,
        name=name,
        timeout_sec=None if timeout is None else float(timeout),
        isolation=None if isolation is None else Isolation(isolation),
    )


def _spec(node: Function, file: str, names: ModuleNames) -> ActionSpec:
    """What a function says of itself; other decorators may change what it takes."""
    as_written = all(_name_of(each) in _DECORATORS for each in node.decorator_list)
    return ActionSpec(
        name=node.name,
        module=file,
        function=node.name,
        doc=_doc(node),
        parameters=parameters_of(node, names),
        signature=signature_of(node, names) if as_written else None,
    )


def _doc(node: Function) -> str | None:
    """The docstring; what UTF-8 cannot carry is left as an escape."""
    doc = ast.get_docstring(node)
    return doc if doc is None else doc.encode(errors="backslashreplace").decode()


def _literals(call: ast.Call, faults: Faults) -> dict[str, Any]:
    """The arguments of a decorator that matter here; they must be known without running it."""
    found: dict[str, Any] = {}
    first = [ast.keyword(arg="name", value=value) for value in call.args[:1]]
    for keyword in (*first, *call.keywords):
        if keyword.arg not in {"name", "timeout", "isolation"}:
            continue
        try:
            found[keyword.arg] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, RecursionError):
            faults.add(
                f"{keyword.arg!r} must be written out: actions are found without running code.",
                Mark(keyword.value.lineno, keyword.value.col_offset + 1),
            )
    return found
