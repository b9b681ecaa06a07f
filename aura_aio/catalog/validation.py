"""Checks plans that are not loaded, and a task document as if it stood in a plan.

May import model, and of `catalog` what reads plans.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from aura_aio.catalog.action_names import ActionNames
from aura_aio.catalog.catalog import Catalog, load_catalog, load_plan_and_neighbours
from aura_aio.catalog.files import PlanFolder
from aura_aio.catalog.plan_reader import holds_plan
from aura_aio.catalog.taskfile import EXTENSION, TaskFile, TaskFileReader
from aura_aio.catalog.triggers import unknown
from aura_aio.model.plan import LoadError, Plan

DEFAULT_FILE: Final = "task.yaml"
_FOLDER: Final = "tasks/"
_NO_PLAN: Final = ""


def check_document(
    catalog: Catalog,
    text: str,
    *,
    plan_name: str | None = None,
    file: str = DEFAULT_FILE,
    sees: Callable[[str], bool] = lambda _: True,
) -> tuple[LoadError, ...]:
    """What would be wrong with the file `file` of tasks in the plan `plan_name`, if it held `text`;
    without a plan, only built-in actions and those of named plans are known.

    What it asks of plans that who asks does not see is not judged, and nothing of them is told.
    Templates and Python are read, never run. May take a second: call it in a thread.

    Raises:
        PlanNotFound: there is no plan of this name.
    """
    own = {} if plan_name is None else catalog.plan(plan_name).actions
    name = plan_name or _NO_PLAN
    path = file.removeprefix(_FOLDER)
    if not path.endswith(EXTENSION):
        return (LoadError(file=file, message=f"The names of task files end in {EXTENSION}."),)
    names = ActionNames(name, {**catalog.actions, name: own}, sees)
    found = TaskFileReader(name, names).read(text, file, path.removesuffix(EXTENSION))
    return (*found.errors, *unknown(found.awaited, _LookUp(catalog, name, found, sees)))


class Checked(NamedTuple):
    """Plans as they would be loaded, and what is wrong with the folder that they are in."""

    plans: tuple[Plan, ...]
    errors: tuple[LoadError, ...] = ()


def check_folder(folder: Path) -> Checked:
    """The plan in `folder` if it is one; else the plans in its folders."""
    if holds_plan(PlanFolder(folder)):
        root = str(folder.resolve())
        catalog = load_plan_and_neighbours(folder)
        return Checked(tuple(plan for plan in catalog.plans.values() if plan.root == root))
    catalog = load_catalog([folder])
    return Checked(tuple(catalog.plans.values()), catalog.errors)


class _LookUp:
    """Looks for plans and tasks among those that are seen and those of the document itself."""

    def __init__(
        self, catalog: Catalog, plan_name: str, document: TaskFile, sees: Callable[[str], bool]
    ) -> None:
        self._catalog = catalog
        self._sees = sees
        self._plan_name = plan_name
        self._document = document

    def __call__(self, plan_name: str, task: str | None) -> None:
        own = self._document
        if plan_name == self._plan_name and (
            task is None or own.aliases.get(task, task) in own.tasks
        ):
            return
        if not self._sees(plan_name):
            return
        self._catalog.plan(plan_name)
        if task is not None:
            self._catalog.task(plan_name, task)
