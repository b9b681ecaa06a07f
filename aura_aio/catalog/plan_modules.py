"""Finds the modules of plans for Python's import, without compiled files beside them.

May import the standard library only.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

PACKAGE_PREFIX: Final = "aura_plan_"
"""How the packages that plans are imported as are called; one for each plan's folder."""
EARLIER: Final = "plans"
"""The package in which the earlier Aura had all plans."""


def find_plan_modules(folder: str, package: str) -> None:
    """Let `import` find what is in `package` here, from now on in this process.

    The modules are also found as `plans.<folder>.…`, as plans of the earlier Aura import their own.
    """
    forget_modules(f"{EARLIER}.{folder}")
    finder = next((each for each in sys.meta_path if isinstance(each, _PlanFinder)), None)
    if finder is None:
        finder = _PlanFinder()
        sys.meta_path.insert(0, finder)
    finder.packages[folder] = package


def forget_modules(package: str) -> None:
    """Let `package` and what is in it be imported anew. Other threads may import meanwhile."""
    for known in tuple(sys.modules):
        if _is_below(known, package):
            sys.modules.pop(known, None)


def _is_below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


class _PlanFinder(MetaPathFinder):
    """What is in packages of plans; `packages` are their names by folder."""

    def __init__(self) -> None:
        self.packages: dict[str, str] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module is; None if it is no plan's."""
        if _is_below(fullname, EARLIER):
            return self._find_earlier(fullname)
        if path is None or not fullname.startswith(PACKAGE_PREFIX):
            return None
        extensions = (ExtensionFileLoader, EXTENSION_SUFFIXES)
        sources = (_SourceLoader, SOURCE_SUFFIXES)
        specs = (FileFinder(each, extensions, sources).find_spec(fullname) for each in path)
        return next((spec for spec in specs if spec is not None), None)

    def _find_earlier(self, fullname: str) -> ModuleSpec | None:
        if fullname == EARLIER:
            return ModuleSpec(fullname, None, is_package=True)
        folder, _, inner = fullname.removeprefix(f"{EARLIER}.").partition(".")
        package = self.packages.get(folder)
        if package is None:
            return None
        if not inner:
            return ModuleSpec(fullname, _SameModule(package), is_package=True)
        real = f"{package}.{inner}"
        spec = find_spec(real)
        if spec is None:
            return None
        is_package = spec.submodule_search_locations is not None
        return ModuleSpec(fullname, _SameModule(real), is_package=is_package)


class _SameModule(Loader):
    """Gives a module a second name: it is imported once, under its own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module of the other name."""
        module = import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It has been executed; what `import` has noted at it is put right."""
        module.__spec__ = self._spec


class _SourceLoader(SourceFileLoader):
    """Compiles the source each time: compiled files are known by whole seconds and size, so that
    one edit soon after another may go unseen. And a plan's folder is its author's.
    """

    def path_stats(self, path: str) -> dict[str, Any]:
        """Nothing to know a compiled file by: then none is read, and none written."""
        raise OSError(f"{path} is compiled each time")
