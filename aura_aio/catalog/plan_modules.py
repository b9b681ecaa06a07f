"""Finds the modules of plans for Python's import, without compiled files beside them.

May import the standard library only.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from types import ModuleType
from typing import Any, Final

PACKAGE_PREFIX: Final = "aura_plan_"
"""How the packages that plans are imported as are called; one for each plan's folder."""


def find_plan_modules() -> None:
    """Let `import` find the modules in packages of plans here, from now on in this process."""
    if not any(isinstance(finder, _PlanFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _PlanFinder())


class _PlanFinder(MetaPathFinder):
    """What is in packages of plans."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module is; None if it is no plan's."""
        if path is None or not fullname.startswith(PACKAGE_PREFIX):
            return None
        extensions = (ExtensionFileLoader, EXTENSION_SUFFIXES)
        sources = (_SourceLoader, SOURCE_SUFFIXES)
        specs = (FileFinder(each, extensions, sources).find_spec(fullname) for each in path)
        return next((spec for spec in specs if spec is not None), None)


class _SourceLoader(SourceFileLoader):
    """Compiles the source each time: compiled files are known by whole seconds and size, so that
    one edit soon after another may go unseen. And a plan's folder is its author's.
    """

    def path_stats(self, path: str) -> dict[str, Any]:
        """Nothing to know a compiled file by: then none is read, and none written."""
        raise OSError(f"{path} is compiled each time")
