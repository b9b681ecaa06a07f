"""Reads task files, in both layouts: one task at the root, or a map of several.

May import model, and of `catalog` what reads their parts.
"""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET

from aura_aio.catalog.action_names import ActionNames
from aura_aio.catalog.concurrency import read_concurrency
from aura_aio.catalog.document import DocumentError, Node, read_document
from aura_aio.catalog.input_specs import read_inputs
from aura_aio.catalog.parts import read_in_parts
from aura_aio.catalog.place import Faults, Place
from aura_aio.catalog.references import NAME_RULE, is_name
from aura_aio.catalog.steps import outputs_of_steps, read_steps, read_timeout
from aura_aio.catalog.template_checks import TemplateChecks
from aura_aio.catalog.triggers import Awaited, FoundTrigger, check_triggers, read_triggers
from aura_aio.model.plan import Concurrency, LoadError, Step, Task, TaskMeta
from aura_aio.model.run import OnCrash
from aura_aio.model.suggestions import close_names

EXTENSION: Final = ".yaml"
MAX_FAULTS_OF_FILE: Final = 1000

TASK_FIELDS: Final = ("meta", "on", "steps", "returns")
SIGNS_OF_A_TASK: Final = ("meta", "steps", "returns")
META_FIELDS: Final = (
    "title", "description", "inputs", "concurrency", "timeout", "timeout_sec", "on_crash",
    "entry_point",
)  # fmt: skip


class TaskFile(msgspec.Struct, frozen=True):
    """What a file holds: its good tasks by name, other names for them, what is wrong, and the
    plans and tasks whose events they wait for.

    `broken` are the names of tasks that are wrong; with `is_unread` it cannot be told which tasks
    were meant.
    """

    file: str
    tasks: dict[str, Task] = {}
    aliases: dict[str, str] = {}
    errors: tuple[LoadError, ...] = ()
    awaited: tuple[Awaited, ...] = ()
    broken: frozenset[str] = frozenset()
    is_unread: bool = False


class _Found(NamedTuple):
    """A task, and its triggers with their places."""

    task: Task
    triggers: list[FoundTrigger]


class TaskFileReader:
    """Reads the task files of one plan."""

    def __init__(self, plan_name: str, actions: ActionNames) -> None:
        self._plan_name = plan_name
        self._actions = actions

    def read(self, text: str, file: str, path: str) -> TaskFile:
        """The tasks in `text`, the content of `file`; `path` is its place below the folder of
        tasks without the extension (`reports/daily`).
        """
        faults = Faults(file, most=MAX_FAULTS_OF_FILE)
        found: dict[str, _Found | None] = {}
        aliases: dict[str, str] = {}
        root, broken = _read_tree(text, faults)
        if root is None:
            pass
        elif not all(is_name(part) for part in path.split("/")):
            faults.add(f"A task cannot be called {path!r}: {NAME_RULE}.")
        elif _is_single(root):
            found[path] = self._read_good(path, root, "", faults, aliases)
        else:
            place = Place(root, faults)
            entries = place.entries("a task: {meta, steps, returns}, or tasks by name")
            if place.is_mapping() and not entries and not broken:
                place.fault("There is no task in this file.")
            stem = path.rpartition("/")[2]
            if list(entries) == [stem] and not broken:
                aliases[path] = f"{path}/{stem}"
            for key, entry in entries.items():
                if is_name(key):
                    name = f"{path}/{key}"
                    found[name] = self._read_good(name, entry.node, key, faults, aliases)
                else:
                    place.fault_at_key(key, f"A task cannot be called {key!r}: {NAME_RULE}.")
        good = {name: each for name, each in found.items() if each is not None}
        return TaskFile(
            file=file,
            tasks={name: each.task for name, each in good.items()},
            aliases=aliases,
            errors=tuple(faults.in_order()),
            awaited=tuple(
                Awaited(file, trigger.where, fields)
                for each in good.values()
                for trigger, _, fields in each.triggers
            ),
            broken=frozenset((*found.keys() - good.keys(), *(f"{path}/{key}" for key in broken))),
            is_unread=not good,
        )

    def _read_good(
        self, name: str, node: Node, key: str, faults: Faults, aliases: Mapping[str, str]
    ) -> _Found | None:
        """The task at `node`, which stands under `key` of the file; None if something is wrong."""
        own = Faults(faults.file)
        read = self._read_task(name, Place(node, own, key))
        check_triggers(read.task, read.triggers, aliases)
        faults.extend(own)
        return None if len(own) else read

    def _read_task(self, name: str, place: Place) -> _Found:
        fields = place.fields(
            TASK_FIELDS,
            expected="a task: {meta, steps, returns}",
            elsewhere=dict.fromkeys(META_FIELDS, "meta"),
        )
        meta = _read_meta(fields["meta"]) if "meta" in fields else TaskMeta()
        inputs = {spec.name: None for spec in meta.inputs}.keys()
        steps: tuple[Step, ...] = ()
        outputs: Mapping[str, Collection[str]] = {}
        if "steps" in fields:
            steps = read_steps(fields["steps"], inputs, self._actions)
            outputs = outputs_of_steps(fields["steps"])
        else:
            place.lacks("steps", "A task needs 'steps'.")
        if "returns" in fields:
            TemplateChecks(outputs, inputs).check(fields["returns"])
        triggers = read_triggers(fields["on"], self._plan_name) if "on" in fields else []
        task = Task(
            plan_name=self._plan_name,
            name=name,
            meta=meta,
            steps=steps,
            returns=fields["returns"].value if "returns" in fields else UNSET,
            on=tuple(each.trigger for each in triggers),
        )
        return _Found(task, triggers)


def _read_tree(text: str, faults: Faults) -> tuple[Node | None, tuple[str, ...]]:
    """The tree of a file, and the keys of the tasks that are no YAML, which are left out of a map
    of tasks.
    """
    try:
        return read_document(text), ()
    except DocumentError as error:
        parts = read_in_parts(text, SIGNS_OF_A_TASK)
        if parts is None:
            faults.add(str(error), error.mark)
            return None, ()
    root, broken = parts
    for key, fault in broken:
        faults.add(str(fault), fault.mark, key)
    return root, tuple(key for key, _ in broken)


def _is_single(root: Node) -> bool:
    """Whether the root is a task itself, and not a map of tasks (one may be called `on`)."""
    if not isinstance(root.value, dict):
        return False
    if any(key in root.value for key in SIGNS_OF_A_TASK):
        return True
    of_tasks = any(_is_single(node) for node in root.value.values())
    return not of_tasks and any(close_names(key, SIGNS_OF_A_TASK) for key in root.value)


def _read_meta(place: Place) -> TaskMeta:
    fields = place.fields(META_FIELDS, expected="{title, description, inputs, …}")
    if "entry_point" in fields:  # a hint to the earlier Aura's terminal interface
        fields["entry_point"].boolean()
    return TaskMeta(
        title=fields["title"].text() if "title" in fields else None,
        description=fields["description"].text() if "description" in fields else None,
        inputs=read_inputs(fields["inputs"]) if "inputs" in fields else (),
        concurrency=read_concurrency(fields["concurrency"])
        if "concurrency" in fields
        else Concurrency(),
        timeout_sec=read_timeout(place, fields),
        on_crash=_read_on_crash(fields),
    )


def _read_on_crash(fields: dict[str, Place]) -> OnCrash:
    if "on_crash" not in fields:
        return OnCrash.FAIL
    word = fields["on_crash"].choice(OnCrash)
    return OnCrash(word) if word is not None else OnCrash.FAIL
