"""Reads one plan: its manifest, actions, tasks and schedules.

May import model, msgspec, and of `catalog` what reads their parts.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from aura_aio.catalog.action_names import ActionNames
from aura_aio.catalog.action_sources import find_actions
from aura_aio.catalog.files import FileRefused, PlanFolder
from aura_aio.catalog.manifest import MANIFEST, Manifest, read_manifest
from aura_aio.catalog.place import Faults
from aura_aio.catalog.references import NAME_RULE, is_name, task_name
from aura_aio.catalog.schedules import SCHEDULES, read_schedules
from aura_aio.catalog.taskfile import EXTENSION, TaskFile, TaskFileReader
from aura_aio.catalog.triggers import Awaited
from aura_aio.model.errors import TaskNotFound
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


def holds_plan(folder: PlanFolder) -> bool:
    """Whether the folder holds what makes it a plan."""
    return any(folder.has(sign) for sign in _SIGNS_OF_A_PLAN)


class Cover(NamedTuple):
    """What a plan is called and what it offers: needed of all plans before any task is read."""

    folder: PlanFolder
    manifest: Manifest
    actions: dict[str, ActionSpec]
    action_errors: list[LoadError]
    faults: Faults

    @classmethod
    def of(cls, folder: PlanFolder) -> "Cover":
        faults = Faults(MANIFEST)
        manifest = read_manifest(folder, faults)
        if not is_name(manifest.name):
            faults.add(f"A plan cannot be called {manifest.name!r}: {NAME_RULE}.")
        actions, action_errors = find_actions(folder, manifest)
        return cls(folder, manifest, actions, action_errors, faults)


def read_plan(cover: Cover, actions: Mapping[str, Mapping[str, ActionSpec]]) -> LoadedPlan:
    """The plan behind `cover`; `actions` are those of all plans, by plan and name."""
    folder, manifest = cover.folder, cover.manifest
    tasks: dict[str, Task] = {}
    aliases: dict[str, str] = {}
    task_errors: list[LoadError] = []
    awaited: list[Awaited] = []
    reader = TaskFileReader(manifest.name, ActionNames(manifest.name, actions).fault)
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
