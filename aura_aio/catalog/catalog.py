"""All plans as loaded: immutable, and replaced as a whole.

May import model, msgspec, and of `catalog` what reads plans.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from aura_aio.catalog.action_sources import find_actions
from aura_aio.catalog.actions import BUILTIN_ACTIONS, LATER_ACTIONS
from aura_aio.catalog.files import FileRefused, PlanFolder, portable
from aura_aio.catalog.manifest import MANIFEST, Manifest, read_manifest
from aura_aio.catalog.place import Faults
from aura_aio.catalog.references import NAME_RULE, is_name, split_action, task_name
from aura_aio.catalog.schedules import SCHEDULES, read_schedules
from aura_aio.catalog.taskfile import EXTENSION, TaskFile, TaskFileReader
from aura_aio.catalog.triggers import Awaited, unknown
from aura_aio.model.errors import PlanNotFound, TaskNotFound, close_names, did_you_mean
from aura_aio.model.plan import ActionSpec, Definition, LoadError, Plan, Task

_SIGNS_OF_A_PLAN: Final = (MANIFEST, SCHEDULES, "tasks", "actions", "actions.py", "src/actions")


class LoadedTask(msgspec.Struct, frozen=True):
    """A task, and the form in which it is stored and travels."""

    task: Task
    definition: Definition


class LoadedPlan(msgspec.Struct, frozen=True):
    """A plan with what is needed to look tasks up; `aliases` are other names of its tasks,
    `awaited` what its tasks wait for.
    """

    plan: Plan
    tasks: Mapping[str, LoadedTask]
    aliases: Mapping[str, str]
    awaited: tuple[Awaited, ...] = ()

    def task(self, name: str) -> LoadedTask:
        """A task by any of its names.

        Raises:
            TaskNotFound: there is none; the sentence suggests close names.
        """
        wanted = task_name(name)
        found = self.tasks.get(self.aliases.get(wanted, wanted))
        if found is None:
            raise TaskNotFound(self.plan.name, name, self.tasks)
        return found


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
    covers: dict[str, _Cover] = {}
    errors: list[LoadError] = []
    for root in roots:
        for folder in _plan_folders(root, errors):
            cover = _Cover.of(folder)
            name = cover.manifest.name
            if name in covers:
                message = f"The plan in {folder.root} has this name too, and is not loaded."
                covers[name].faults.add(message, path="package.name")
            else:
                covers[name] = cover
    actions = {name: cover.actions for name, cover in covers.items()}
    plans = [_load_plan(cover, actions) for cover in covers.values()]
    all_plans = Catalog(plans)
    return Catalog([_check_awaited(plan, all_plans) for plan in plans], errors)


class _Cover(NamedTuple):
    """What a plan is called and what it offers: needed of all plans before any task is read."""

    folder: PlanFolder
    manifest: Manifest
    actions: dict[str, ActionSpec]
    action_errors: list[LoadError]
    faults: Faults

    @classmethod
    def of(cls, folder: PlanFolder) -> "_Cover":
        faults = Faults(MANIFEST)
        manifest = read_manifest(folder, faults)
        if not is_name(manifest.name):
            faults.add(f"A plan cannot be called {manifest.name!r}: {NAME_RULE}.")
        actions, action_errors = find_actions(folder, manifest)
        return cls(folder, manifest, actions, action_errors, faults)


def is_plan(folder: Path) -> bool:
    """Whether there is a plan in `folder`: something that a plan has, and a name that is not hidden
    by a `.` or `_`.
    """
    if folder.name.startswith((".", "_")) or not os.path.isdir(folder):
        return False
    there = PlanFolder(folder)
    return any(there.has(sign) for sign in _SIGNS_OF_A_PLAN)


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


def _load_plan(cover: _Cover, actions: Mapping[str, Mapping[str, ActionSpec]]) -> LoadedPlan:
    folder, manifest = cover.folder, cover.manifest
    tasks: dict[str, Task] = {}
    aliases: dict[str, str] = {}
    task_errors: list[LoadError] = []
    awaited: list[Awaited] = []
    reader = TaskFileReader(manifest.name, _ActionNames(manifest.name, actions).fault)
    for file in _task_files(folder, manifest, reader):
        for name, task in file.tasks.items():
            if tasks.setdefault(name, task) is not task:
                cover.faults.add(f"Two folders of 'task_paths' have a task {name!r}.")
        aliases |= file.aliases
        task_errors.extend(file.errors)
        awaited.extend(file.awaited)
    plan = Plan(
        name=manifest.name,
        root=str(folder.root.resolve()),
        title=manifest.title,
        version=manifest.version,
        description=manifest.description,
        tasks=tasks,
        actions=cover.actions,
        errors=(*cover.faults.in_order(), *cover.action_errors, *task_errors),
    )
    tasks_by_name = {name: LoadedTask(task, Definition.of(task)) for name, task in tasks.items()}
    return _with_schedules(LoadedPlan(plan, tasks_by_name, aliases, tuple(awaited)), folder)


def _with_schedules(loaded: LoadedPlan, folder: PlanFolder) -> LoadedPlan:
    plan = loaded.plan
    file = read_schedules(folder, plan.name, lambda name: loaded.task(name).task)
    return replace(
        loaded,
        plan=replace(plan, schedules=file.schedules, errors=(*plan.errors, *file.errors)),
    )


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


def _task_files(
    folder: PlanFolder, manifest: Manifest, reader: TaskFileReader
) -> Iterator[TaskFile]:
    for root in manifest.task_paths:
        for file in folder.files_below(root, (EXTENSION, ".yml")):
            if file.endswith(".yml"):
                yield _refused(file, f"The names of task files end in {EXTENSION}: rename it.")
                continue
            try:
                text = folder.read(file)
            except FileRefused as error:
                yield _refused(file, str(error))
            else:
                path = file.removeprefix(f"{root}/").removesuffix(EXTENSION)
                yield reader.read(text, file, path)


def _refused(file: str, message: str) -> TaskFile:
    return TaskFile({}, {}, (LoadError(file=file, message=message),))


class _ActionNames:
    """The actions that the tasks of a plan may call: its own, built-in ones, other plans'."""

    def __init__(self, plan_name: str, actions: Mapping[str, Mapping[str, ActionSpec]]) -> None:
        self._plan_name = plan_name
        self._actions = actions

    def fault(self, reference: str, isolated: bool) -> str | None:
        """What is wrong with a call of an action, which may be meant to be `isolated`; None if
        nothing is.
        """
        plan, name = split_action(reference)
        if plan is not None:
            return self._fault_in(plan, name)
        own = self._actions[self._plan_name].keys()
        known = own | BUILTIN_ACTIONS
        if name in known - own and isolated:
            return f"The action {name!r} is built in, and needs no process of its own."
        if name in known:
            return None
        if name in LATER_ACTIONS:
            return f"The action {name!r} comes in a later version of Aura."
        elsewhere = [plan for plan, actions in self._actions.items() if name in actions]
        if elsewhere and not close_names(name, known):
            return f"There is no action {name!r}. Did you mean '{elsewhere[0]}/{name}'?"
        return f"There is no action {name!r}.{did_you_mean(name, known, most=20)}"

    def _fault_in(self, plan: str, name: str) -> str | None:
        known = self._actions.get(plan)
        if known is None:
            return f"There is no plan {plan!r}.{did_you_mean(plan, self._actions)}"
        if name not in known:
            return f"The plan {plan!r} has no action {name!r}.{did_you_mean(name, known)}"
        return None
