"""Reads one plan: its manifest, actions, tasks and schedules.

May import model, msgspec, and of `catalog` what reads their parts.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from aura_aio.catalog.action_names import ActionNames
from aura_aio.catalog.action_sources import FoundActions, find_actions
from aura_aio.catalog.files import FileRefused, FileStamp, PlanFolder
from aura_aio.catalog.manifest import MANIFEST, Manifest, read_manifest
from aura_aio.catalog.place import Faults
from aura_aio.catalog.references import NAME_RULE, is_name
from aura_aio.catalog.schedules import SCHEDULES, read_schedules
from aura_aio.catalog.still_good import (
    LoadedTask,
    still_good_actions,
    still_good_schedules,
    still_good_stamps,
    still_good_tasks,
)
from aura_aio.catalog.taskfile import EXTENSION, TaskFile, TaskFileReader
from aura_aio.catalog.triggers import Awaited
from aura_aio.model.errors import TaskNotFound
from aura_aio.model.plan import ActionSpec, Definition, LoadError, Plan
from aura_aio.model.task_names import task_name

_SIGNS_OF_A_PLAN: Final = (MANIFEST, SCHEDULES, "tasks", "actions", "actions.py", "src/actions")


AllActions = Mapping[str, Mapping[str, ActionSpec]]
"""The actions of all plans, by plan and name."""


class ReadFile(NamedTuple):
    """A file of tasks as it was read, and the digest of its text and place; None if it could not
    be read.
    """

    file: TaskFile
    digest: bytes | None


class LoadedPlan(msgspec.Struct, frozen=True):
    """A plan with what is needed to look tasks up, and to read it again.

    `aliases` are other names of its tasks, `awaited` is what its tasks wait for, `errors` what is
    wrong with the plan whatever other plans there are, `code` the stamps of its Python files.
    `files` are those of its tasks, which were read in view of the `actions` of all plans
    and of the functions of this one that are `bare` of a decorator.
    """

    plan: Plan
    manifest: Manifest
    tasks: Mapping[str, LoadedTask]
    aliases: Mapping[str, str]
    awaited: tuple[Awaited, ...] = ()
    errors: tuple[LoadError, ...] = ()
    code: Mapping[str, FileStamp] = {}
    files: tuple[ReadFile, ...] = ()
    actions: AllActions = {}
    bare: Mapping[str, str] = {}

    def task(self, name: str) -> LoadedTask:
        """A task by any of its names.

        Raises:
            TaskNotFound: there is none; the sentence suggests close names, or says that it is
                there and did not load.
        """
        wanted = task_name(name)
        found = self.tasks.get(self.aliases.get(wanted, wanted))
        if found is None:
            raise TaskNotFound(self.plan.name, name, self.tasks, self._fault_of(wanted))
        return found

    def _fault_of(self, name: str) -> str | None:
        """The place of what is wrong with the task `name`, if it is in a file and did not load."""
        for file, _ in self.files:
            if name in file.broken or (file.is_unread and self._may_hold(file.file, name)):
                return file.errors[0].place if file.errors else file.file
        return None

    def _may_hold(self, file: str, name: str) -> bool:
        stem = file.rpartition(".")[0]
        paths = (stem.removeprefix(f"{root}/") for root in self.manifest.task_paths)
        return any(name == path or name.startswith(f"{path}/") for path in paths)


def holds_plan(folder: PlanFolder) -> bool:
    """Whether the folder holds what makes it a plan."""
    return any(folder.has(sign) for sign in _SIGNS_OF_A_PLAN)


class Cover(NamedTuple):
    """What a plan is called and what it offers: needed of all plans before any task is read.

    `before` is the plan as it was, whose good parts stand in for those that are broken now.
    """

    folder: PlanFolder
    manifest: Manifest
    faults: Faults
    found: FoundActions
    actions: dict[str, ActionSpec]
    before: LoadedPlan | None

    @classmethod
    def of(cls, folder: PlanFolder, before: LoadedPlan | None = None) -> "Cover":
        """Read the manifest and find the actions."""
        faults = Faults(MANIFEST)
        manifest = read_manifest(folder, faults)
        if not is_name(manifest.name):
            faults.add(f"A plan cannot be called {manifest.name!r}: {NAME_RULE}.")
        if before is not None and len(faults):
            manifest = before.manifest.moved_to(faults)
        found = find_actions(folder, manifest)
        actions = found.actions
        if before is not None:
            actions = actions | still_good_actions(before.plan.actions, actions, found.errors)
        return cls(folder, manifest, faults, found, actions, before)


def read_plan(cover: Cover, actions: AllActions) -> LoadedPlan:
    """The plan behind `cover`, in view of the `actions` of all plans."""
    folder, manifest = cover.folder, cover.manifest
    read = tuple(_task_files(cover, actions))
    files = [each.file for each in read]
    known = cover.before.tasks if cover.before is not None else {}
    tasks: dict[str, LoadedTask] = {}
    aliases: dict[str, str] = {}
    for file in files:
        aliases |= file.aliases
        for name, task in file.tasks.items():
            if name in tasks:
                cover.faults.add(f"Two folders of 'task_paths' have a task {name!r}.")
            elif name in known and known[name].task is task:
                tasks[name] = known[name]
            else:
                tasks[name] = LoadedTask(task, Definition.of(task), file.file)
    if cover.before is not None:
        kept = still_good_tasks(cover.before.tasks, tasks.keys(), files)
        tasks |= kept
        aliases = {k: v for k, v in cover.before.aliases.items() if v in kept} | aliases
    plan = Plan(
        name=manifest.name,
        root=str(folder.root.resolve()),
        title=manifest.title,
        version=manifest.version,
        description=manifest.description,
        tasks={name: loaded.task for name, loaded in tasks.items()},
        actions=cover.actions,
    )
    errors = (
        *cover.faults.in_order(),
        *cover.found.errors,
        *(error for file in files for error in file.errors),
    )
    awaited = tuple(each for file in files for each in file.awaited)
    known_code = cover.before.code if cover.before is not None else {}
    code = folder.stamps((".py",), known_code)
    if cover.before is not None:  # what is broken was not imported
        code |= still_good_stamps(cover.before.code, cover.found.unread)
    loaded = LoadedPlan(plan, manifest, tasks, aliases, awaited, errors, code, read, actions)
    loaded = replace(loaded, bare=cover.found.bare)
    return _with_schedules(loaded, cover)


def _with_schedules(loaded: LoadedPlan, cover: Cover) -> LoadedPlan:
    plan = loaded.plan
    file = read_schedules(cover.folder, plan.name, lambda name: loaded.task(name).task)
    schedules = file.schedules
    if cover.before is not None and file.errors:
        schedules += still_good_schedules(cover.before.plan.schedules, schedules, plan.tasks)
    errors = (*loaded.errors, *file.errors)
    return replace(loaded, plan=replace(plan, schedules=schedules, errors=errors), errors=errors)


def _task_files(cover: Cover, actions: AllActions) -> Iterator[ReadFile]:
    """The files of tasks. Of those whose text has not changed is taken what was read before, if the
    actions are the same: an edit is to be live within a second, which 2,000 steps take to be read.
    """
    name = cover.manifest.name
    bare = cover.found.bare
    reader = TaskFileReader(name, ActionNames(name, actions, bare=bare))
    before = cover.before
    known = {}
    if (
        before is not None
        and before.plan.name == name
        and (before.actions, before.bare) == (actions, bare)
    ):
        known = {each.digest: each for each in before.files}
    for root in cover.manifest.task_paths:
        for file in cover.folder.files_below(root, (EXTENSION, ".yml")):
            if file.endswith(".yml"):
                message = f"The names of task files end in {EXTENSION}: rename it."
                yield ReadFile(_refused(file, message), None)
                continue
            try:
                text = cover.folder.read(file)
            except FileRefused as error:
                yield ReadFile(_refused(file, str(error)), None)
            else:
                path = file.removeprefix(f"{root}/").removesuffix(EXTENSION)
                digest = hashlib.sha256("\0".join((file, path, text)).encode()).digest()
                yield known.get(digest) or ReadFile(reader.read(text, file, path), digest)


def _refused(file: str, message: str) -> TaskFile:
    error = LoadError(file=file, message=message)
    return TaskFile(file=file, tasks={}, aliases={}, errors=(error,), is_unread=True)
