"""All plans as loaded: immutable, and replaced as a whole.

May import model, and of `catalog` what reads plans.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from msgspec.structs import replace

from aura_aio.catalog.digests import plan_digests
from aura_aio.catalog.files import PlanFolder, portable
from aura_aio.catalog.manifest import MANIFEST
from aura_aio.catalog.plan_reader import Cover, LoadedPlan, holds_plan, read_plan
from aura_aio.catalog.still_good import LoadedTask
from aura_aio.catalog.triggers import unknown
from aura_aio.model.errors import PlanNotFound
from aura_aio.model.plan import ActionSpec, LoadError, Plan


class Catalog:
    """The plans of some roots, by name."""

    def __init__(self, plans: Iterable[LoadedPlan] = (), errors: Iterable[LoadError] = ()) -> None:
        self._plans = {each.plan.name: each for each in plans}
        self.plans: Mapping[str, Plan] = MappingProxyType(
            {name: each.plan for name, each in sorted(self._plans.items())}
        )
        self.errors: tuple[LoadError, ...] = tuple(errors)
        """What is wrong with the roots themselves; what is wrong in a plan stands there."""

    @property
    def by_root(self) -> Mapping[str, LoadedPlan]:
        """The plans by their folders, without links."""
        return {each.plan.root: each for each in self._plans.values()}

    @property
    def actions(self) -> Mapping[str, Mapping[str, ActionSpec]]:
        """The actions of each plan, by plan and name."""
        return {name: plan.actions for name, plan in self.plans.items()}

    def digests(self) -> dict[str, str]:
        """The digest of each plan, by its name."""
        return {name: plan.digest for name, plan in self.plans.items()}

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
    folders = [folder for root in roots for folder in _plan_folders(root, errors)]
    return Catalog(_load(folders), errors)


def reload_catalog(
    before: Catalog, roots: Iterable[Path], changed: Iterable[Path] | None
) -> Catalog:
    """Load the plans again in which one of these paths `changed` (None: all of them).

    What is broken now stays as it was `before`: tasks, actions, schedules, a manifest. It is a load
    error all the same. Call it in a thread.
    """
    errors: list[LoadError] = []
    folders = [folder for root in roots for folder in _plan_folders(root, errors)]
    paths = None if changed is None else tuple(changed)

    def is_as_before(folder: PlanFolder) -> bool:
        return paths is not None and not any(map(folder.holds, paths))

    loaded = _load(folders, before, is_as_before)
    return Catalog(loaded, errors)


def load_plan_and_neighbours(folder: Path) -> Catalog:
    """Load the plan in `folder`, whatever that is called, and those beside it, whose actions it may
    call.
    """
    first = PlanFolder(folder.resolve())
    others = (each for each in _plan_folders(first.root.parent, []) if each.root != first.root)
    return Catalog(_load([first, *others]))


def _load(
    folders: Sequence[PlanFolder],
    before: Catalog | None = None,
    is_as_before: Callable[[PlanFolder], bool] = lambda _: False,
) -> list[LoadedPlan]:
    known = before.by_root if before is not None else {}
    covers: dict[str, Cover | LoadedPlan] = {}
    places: dict[str, PlanFolder] = {}
    twice: defaultdict[str, list[LoadError]] = defaultdict(list)
    for folder in folders:
        old = known.get(str(folder.root.resolve()))
        cover = old if old is not None and is_as_before(folder) else Cover.of(folder, old)
        name = cover.manifest.name
        if name in covers:
            message = f"The plan in {folder.root} has this name too, and is not loaded."
            twice[name].append(LoadError(MANIFEST, message, path="package.name"))
        else:
            covers[name], places[name] = cover, folder
    actions = {name: _actions(cover) for name, cover in covers.items()}
    # A task may call the actions of any plan: when these change, all tasks are read again.
    may_stay = before is not None and actions == before.actions
    plans: list[LoadedPlan] = []
    for name, cover in covers.items():
        if isinstance(cover, LoadedPlan) and may_stay:
            plans.append(cover)
        elif isinstance(cover, LoadedPlan):
            plans.append(read_plan(Cover.of(places[name], cover), actions))
        else:
            plans.append(read_plan(cover, actions))
    all_plans, digests = Catalog(plans), plan_digests(plans)
    return [
        _in_view_of(all_plans, plan, digests[plan.plan.name], twice[plan.plan.name])
        for plan in plans
    ]


def _actions(cover: Cover | LoadedPlan) -> Mapping[str, ActionSpec]:
    return cover.actions if isinstance(cover, Cover) else cover.plan.actions


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


def _in_view_of(
    all_plans: Catalog, loaded: LoadedPlan, digest: str, twice: Iterable[LoadError]
) -> LoadedPlan:
    """`loaded` with its `digest`, and with what is wrong with it beside the other plans: an error
    for each that has its name (`twice`), and for each `on` that waits for what there is not. The
    task of such an `on` can be run all the same.
    """

    def look_up(plan_name: str, task: str | None) -> None:
        all_plans.plan(plan_name)
        if task is not None:
            all_plans.task(plan_name, task)

    errors = (*loaded.errors, *twice, *unknown(loaded.awaited, look_up))
    return replace(loaded, plan=replace(loaded.plan, errors=errors, digest=digest))
