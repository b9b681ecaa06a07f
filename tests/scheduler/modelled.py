"""What is known of a run, and what is asked for, in the model of Scheduler and Store.

Imports aura_aio.model only.
"""

from dataclasses import dataclass
from typing import NamedTuple

from aura_aio.model.limits import Limits
from aura_aio.model.run import CancelRequest, OnCrash, Run, RunError
from aura_aio.model.states import RunState


class Kind(NamedTuple):
    """What is known of every run of a task."""

    plan_name: str
    task_name: str
    on_crash: OnCrash = OnCrash.FAIL
    limits: Limits = ()


class Call(NamedTuple):
    """A call of `aura.run_task` by an attempt."""

    parent_cid: str
    attempt: int
    kind: Kind
    step: str
    turn: int | None

    @property
    def wait(self) -> bool:
        """Whether its step waits for the child: that of one does, that of the other does not."""
        return self.step == "waits"


@dataclass
class Modelled:
    """A run. `moved`: somebody has put it where it would not stand by its depth and arrival."""

    cid: str
    kind: Kind
    created_at: float
    priority: int = 0
    run_at: float | None = None
    retry_of: str | None = None
    parent_cid: str | None = None
    depth: int = 0
    call: tuple[object, ...] = ()
    state: RunState = RunState.QUEUED
    attempt: int = 1
    ready_at: float = 0.0
    delayed: bool = False
    moved: bool = False
    started_at: float | None = None
    finished_at: float | None = None
    worker: str | None = None
    result: bytes | None = None
    error: str | None = None
    cancel: CancelRequest | None = None

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands in its priority: the deepest first, then by arrival."""
        return (0 if self.parent_cid is None else -self.depth, self.cid)

    def seen(self) -> Run:
        """As the store shows it, as far as that is promised; of an error the type."""
        return Run(
            cid=self.cid,
            plan_name=self.kind.plan_name,
            task_name=self.kind.task_name,
            state=self.state,
            attempt=self.attempt,
            priority=self.priority,
            rank=0,
            arrival="",
            definition_digest="",
            created_at=self.created_at,
            on_crash=self.kind.on_crash,
            run_at=self.run_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            worker=self.worker,
            result=self.result,
            error=None if self.error is None else RunError(self.error, ""),
            cancel=self.cancel,
            limits=self.kind.limits,
            parent_cid=self.parent_cid,
            depth=self.depth,
            retry_of=self.retry_of,
        )


class Asked(NamedTuple):
    """A run that is asked for; of a child also what makes two calls the same."""

    kind: Kind
    priority: int = 0
    run_at: float | None = None
    retry_of: str | None = None
    parent_cid: str | None = None
    depth: int = 0
    call: tuple[object, ...] = ()


class Key(NamedTuple):
    """An Idempotency-Key, and what it was sent with."""

    name: str
    body: str
