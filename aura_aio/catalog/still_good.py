"""What of a plan as it was stands in for what an edit has broken.

May import model, msgspec, and of `catalog` `files` and `taskfile`.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from aura_aio.catalog.files import FileStamp
from aura_aio.catalog.taskfile import TaskFile
from aura_aio.model.plan import ActionSpec, Definition, LoadError, Task
from aura_aio.model.schedule import Schedule


class LoadedTask(msgspec.Struct, frozen=True):
    """A task, the form in which it is stored and travels, and the file that it was read from."""

    task: Task
    definition: Definition
    file: str


def still_good_actions(
    before: Mapping[str, ActionSpec], now: Collection[str], errors: Iterable[LoadError]
) -> dict[str, ActionSpec]:
    """The actions that are not there any more, and whose file is broken: what workers that are up
    have imported of it they still have.
    """
    broken = {error.file for error in errors}
    return {
        name: spec for name, spec in before.items() if name not in now and spec.module in broken
    }


def still_good_stamps(
    before: Mapping[str, FileStamp], unread: Iterable[str]
) -> dict[str, FileStamp]:
    """The stamps of the files that are no Python now, as they were."""
    return {file: before[file] for file in unread if file in before}


def still_good_tasks(
    before: Mapping[str, LoadedTask], now: Collection[str], files: Iterable[TaskFile]
) -> dict[str, LoadedTask]:
    """The tasks that are broken now; not those that were taken out of their file, or with it."""
    by_name = {file.file: file for file in files}
    found: dict[str, LoadedTask] = {}
    for name, loaded in before.items():
        file = by_name.get(loaded.file)
        if name not in now and file is not None and (file.is_unread or name in file.broken):
            found[name] = loaded
    return found


def still_good_schedules(
    before: Iterable[Schedule], now: Iterable[Schedule], tasks: Collection[str]
) -> tuple[Schedule, ...]:
    """The schedules that are not there any more, while something is wrong with their file."""
    ids = {schedule.id for schedule in now}
    return tuple(each for each in before if each.id not in ids and each.task_name in tasks)
