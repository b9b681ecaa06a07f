"""Plans and tasks as loaded: the immutable form of the task language (TASKS.md).

May import the standard library, msgspec and other modules of `model`; reading YAML is
`catalog`'s, running is `engine`'s.
"""

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from aura_aio.model.event import EventTrigger
from aura_aio.model.run import OnCrash
from aura_aio.model.schedule import Schedule


class InputSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of `meta.inputs`: what a run must be given.

    `type` is spelled as in TASKS.md (`list<string>`); `min` and `max` bound numbers and the lengths
    of strings, `min_items` and `max_items` the lengths of lists (`count` is resolved into them);
    `item` describes the elements of a list, `properties` the keys of a dict.
    """

    name: str
    type: str = "string"
    required: bool = False
    default: Any | UnsetType = UNSET
    enum: tuple[Any, ...] | None = None
    min: float | None = None
    max: float | None = None
    min_items: int | None = None
    max_items: int | None = None
    item: "InputSpec | None" = None
    properties: tuple["InputSpec", ...] | None = None
    pattern: str | None = None
    label: str | None = None
    description: str | None = None
    ui: dict[str, Any] | None = None
    secret: bool = False


class StepStatus(StrEnum):
    """How a step stands, in the words that a state dependency uses."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class DependsOn(msgspec.Struct, frozen=True, tag="step", omit_defaults=True):
    """A dependency on one step: plain (`statuses` absent), or on the statuses named."""

    step: str
    statuses: tuple[StepStatus, ...] | None = None


class AllOf(msgspec.Struct, frozen=True, tag="all"):
    """Every one of the conditions holds."""

    of: tuple["Dependency", ...]


class AnyOf(msgspec.Struct, frozen=True, tag="any"):
    """At least one of the conditions holds."""

    of: tuple["Dependency", ...]


class NoneOf(msgspec.Struct, frozen=True, tag="none"):
    """None of the conditions holds."""

    of: tuple["Dependency", ...]


Dependency = DependsOn | AllOf | AnyOf | NoneOf


def steps_named(dependency: Dependency) -> Iterator[str]:
    """The steps that `dependency` names, at any depth; one may come more than once."""
    if isinstance(dependency, DependsOn):
        yield dependency.step
    else:
        for inner in dependency.of:
            yield from steps_named(inner)


class Isolation(StrEnum):
    """How a call of an action is kept apart from everything else."""

    PROCESS = "process"


class Loop(msgspec.Struct, frozen=True, omit_defaults=True):
    """The loop of a step: exactly one of `for_each`, `times`, `while_` is set (all may be
    templates).
    """

    for_each: Any = None
    times: Any = None
    while_: str | None = msgspec.field(default=None, name="while")
    max_iterations: int = 1000
    parallelism: int = 1


class OnException(msgspec.Struct, frozen=True, omit_defaults=True):
    """Retry after an exception: `retry` more tries, `delay` seconds times `backoff` ** (tries so
    far).

    `retry_on` names exception classes (any one, if absent); no wait is longer than `max_delay`
    seconds; with `jitter` each is cut by up to a half, at random.
    """

    retry: int = 0
    retry_on: tuple[str, ...] | None = None
    delay: float = 0.0
    backoff: float = 1.0
    max_delay: float | None = None
    jitter: bool = False


class OnResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """Retry while the template `retry_when` is true of `result`."""

    retry_when: str
    max_retries: int = 3
    delay: float = 0.0


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """A node of a task's graph.

    Strings in `when`, `params`, `loop`, `outputs` may be templates; `timeout_sec` bounds each
    attempt; `isolation` holds where the action itself asks for none.
    """

    name: str
    action: str
    params: dict[str, Any] = {}
    depends_on: Dependency | None = None
    when: str | bool | None = None
    loop: Loop | None = None
    on_exception: OnException | None = None
    on_result: OnResult | None = None
    timeout_sec: float | None = None
    outputs: dict[str, Any] | None = None
    step_note: str | None = None
    isolation: Isolation | None = None


class Concurrency(msgspec.Struct, frozen=True, omit_defaults=True):
    """How runs of a task may stand beside other runs (TASKS.md, "Concurrency")."""

    mode: str = "concurrent"
    resources: tuple[str, ...] = ()
    mutex_group: str | None = None
    max_instances: int | None = None


class TaskMeta(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands under `meta` of a task; `timeout_sec` bounds the whole run."""

    title: str | None = None
    description: str | None = None
    inputs: tuple[InputSpec, ...] = ()
    concurrency: Concurrency = Concurrency()
    timeout_sec: float | None = None
    on_crash: OnCrash = OnCrash.FAIL


class Task(msgspec.Struct, frozen=True, omit_defaults=True):
    """A named definition in a plan: inputs, a graph of steps, returns.

    `steps` keep the order of the file. `returns` is absent (UNSET) when the file has none. `on` are
    the events after which it is run by itself.
    """

    plan_name: str
    name: str
    meta: TaskMeta = TaskMeta()
    steps: tuple[Step, ...] = ()
    returns: Any | UnsetType = UNSET
    on: tuple[EventTrigger, ...] = ()

    @property
    def full_task_id(self) -> str:
        """`plan/task`, unique over all plans."""
        return f"{self.plan_name}/{self.name}"


class Definition(msgspec.Struct, frozen=True):
    """A task as it is stored and travels: its JSON, and the digest that names exactly this text."""

    digest: str
    document: bytes

    @classmethod
    def of(cls, task: Task) -> "Definition":
        """Freeze `task`; equal tasks give equal digests."""
        document = _encoder.encode(task)
        return cls(digest=hashlib.sha256(document).hexdigest(), document=document)

    def task(self) -> Task:
        """The task that was frozen."""
        return _decoder.decode(self.document)


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Task)


class LoadError(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a file, or a part of it, was not loaded; `line` and `column` count from 1.

    `file` is relative to the plan's folder, with `/`; `path` is the place in the document
    (`steps.fetch.action`).
    """

    file: str
    message: str
    line: int | None = None
    column: int | None = None
    path: str | None = None

    @property
    def place(self) -> str:
        """`file:line:column`, as far as it is known."""
        parts = (self.file, self.line, self.column)
        return ":".join(str(part) for part in parts if part is not None)


class ActionParameter(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an action takes by a name; `type` and `default` are Python, as they are written. The
    name of one that takes all others begins with `**`.
    """

    name: str
    type: str | None = None
    required: bool = False
    default: str | None = None


class Signature(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a step must and can give to an action, as far as that is sure.

    `types` are those of its parameters, in words that mean the same in every module; None where it
    cannot be told. Parameters that are `required` have no default, and are not filled by Aura.
    """

    types: dict[str, str | None] = {}
    required: tuple[str, ...] = ()
    takes_more: bool = False


class ActionSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """An action as far as it is known without running its module.

    `module` is the file relative to the plan's folder (`actions/report.py`), `function` the name in
    it. Without a `signature` it cannot be told what it takes: another decorator may change that.
    """

    name: str
    module: str
    function: str
    doc: str | None = None
    timeout_sec: float | None = None
    isolation: Isolation | None = None
    parameters: tuple[ActionParameter, ...] = ()
    signature: Signature | None = None


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """A folder with a manifest, tasks and actions; broken files stand in `errors` and hide nothing
    else. `digest` names exactly what its runs do (`catalog.digests`), on whichever host.
    """

    name: str
    root: str
    digest: str = ""
    title: str | None = None
    version: str | None = None
    description: str | None = None
    tasks: dict[str, Task] = {}
    actions: dict[str, ActionSpec] = {}
    schedules: tuple[Schedule, ...] = ()
    errors: tuple[LoadError, ...] = ()
