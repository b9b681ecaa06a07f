"""All plans as loaded: immutable, and replaced as a whole.

May import model, and of `catalog` what reads plans.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec.structs import replace

from aura_aio.catalog.files import PlanFolder, portable
from aura_aio.catalog.plan_reader import Cover, LoadedPlan, LoadedTask, holds_plan, read_plan
from aura_aio.catalog.triggers import unknown
from aura_aio.model.errors import PlanNotFound
from aura_aio.model.plan import LoadError, Plan


class Catalog:
    """The plans of some roots, by name."""

    def __init__(self, plans: Iterable[LoadedPlan] = (), errors: Iterable[LoadError] = ()) -> None:
        self._plans = {each.plan.name: each for each in plans}
        self.plans: Mapping[str, Plan] = MappingProxyType(
            {name: each.plan for name, each in sorted(self._plans.items())}
        )
        self.errors: tuple[LoadError, ...] = tuple(errors)
        """What is wrong with the roots themselves; what is wrong in a plan stands there."""

    def plan(self, name: str) -> Plan:
        """The plan of this name.

        Raises:
            PlanNotFound: there is none; the sentence suggests close names.
        """
        return self._plan(name).plan

    def task(self, plan_name: str, name: str) -> LoadedTask:
        """A task by its name in the plan, by its short name if it has one, or by its canonical
        reference (`tasks:reports:daily.yaml`).

        Raises:
            PlanNotFound: there is no such plan.
            TaskNotFound: the plan has no such task; the sentence suggests close names.
        """
        return self._plan(plan_name).task(name)

    def _plan(self, name: str) -> LoadedPlan:
        found = self._plans.get(name)
        if found is None:
            raise PlanNotFound(name, self._plans)
        return found


def load_catalog(roots: Iterable[Path]) -> Catalog:
    """Load the plans in the folders of each root. Nothing that is wrong with a plan raises: it
    stands in `Plan.errors`, or, if a root is missing, in `Catalog.errors`.

    Reads many files: call it in a thread.
    """
    errors: list[LoadError] = []
    folders = (folder for root in roots for folder in _plan_folders(root, errors))
    plans = _load(folders)
    return Catalog(plans, errors)


def load_plan_and_neighbours(folder: Path) -> Catalog:
    """Load the plan in `folder`, whatever that is called, and those beside it, whose actions it may
    call.
    """
    first = PlanFolder(folder.resolve())
    others = (each for each in _plan_folders(first.root.parent, []) if each.root != first.root)
    return Catalog(_load((first, *others)))


def _load(folders: Iterable[PlanFolder]) -> list[LoadedPlan]:
    covers: dict[str, Cover] = {}
    for folder in folders:
        cover = Cover.of(folder)
        name = cover.manifest.name
        if name in covers:
            message = f"The plan in {folder.root} has this name too, and is not loaded."
            covers[name].faults.add(message, path="package.name")
        else:
            covers[name] = cover
    actions = {name: cover.actions for name, cover in covers.items()}
    plans = [read_plan(cover, actions) for cover in covers.values()]
    all_plans = Catalog(plans)
    return [_check_awaited(plan, all_plans) for plan in plans]


def is_plan(folder: Path) -> bool:
    """Whether there is a plan in `folder`: something that a plan has, and a name that is not hidden
    by a `.` or `_`.
    """
    if folder.name.startswith((".", "_")) or not os.path.isdir(folder):
        return False
    return holds_plan(PlanFolder(folder))


def _plan_folders(root: Path, errors: list[LoadError]) -> Iterator[PlanFolder]:
    try:
        names = sorted(os.listdir(root))
    except FileNotFoundError:
        errors.append(LoadError(file=str(root), message="There is no such folder of plans."))
        return
    except OSError as error:
        message = f"This folder of plans cannot be read: {error.strerror or error}."
        errors.append(LoadError(file=str(root), message=message))
        return
    for name in names:
        path = root / name
        if portable(str(path)) == str(path):
            if is_plan(path):
                yield PlanFolder(path)
        elif os.path.isdir(path) and not name.startswith((".", "_")):
            message = "The name of this folder is no UTF-8 text: rename it."
            errors.append(LoadError(file=portable(str(path)), message=message))


def _check_awaited(loaded: LoadedPlan, all_plans: Catalog) -> LoadedPlan:
    """`loaded` with an error for each `on` that waits for what there is not. Its task can be run
    all the same.
    """

    def look_up(plan_name: str, task: str | None) -> None:
        all_plans.plan(plan_name)
        if task is not None:
            all_plans.task(plan_name, task)

    errors = (*loaded.plan.errors, *unknown(loaded.awaited, look_up))
    return replace(loaded, plan=replace(loaded.plan, errors=errors))
