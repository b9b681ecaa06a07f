"""Runs and what travels for them: the row, the envelope, the ways it can end.

May import the standard library, msgspec and other modules of `model` only.
"""

from enum import StrEnum
from typing import Final

import msgspec

from aura_aio.model.states import RunEvent, RunState
from aura_aio.model.trace import TraceContext

HANDED_DOWN: Final = 0
"""The attempt under which a run has the steps that it was given as finished."""


class OnCrash(StrEnum):
    """What happens to a run whose worker is lost."""

    FAIL = "fail"
    RESUME = "resume"
    RESTART = "restart"


class RunError(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a run did not succeed; `type` is the exception's class name or one of Aura's words
    (WorkerLost).
    """

    type: str
    message: str
    step: str | None = None
    traceback: str | None = None


class CancelRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who asked for the end of a run, why, and when (seconds since the epoch).

    `grace_sec` is how long an action may take to end by itself; `kill` does not wait for it.
    """

    requested_at: float
    mode: str = "graceful"
    grace_sec: float = 10.0
    reason: str | None = None
    requested_by: str | None = None

    @property
    def actions_grace_sec(self) -> float:
        """How long actions are given: none at a kill."""
        return 0.0 if self.mode == "kill" else self.grace_sec


class Limit(msgspec.Struct, frozen=True):
    """A place that a run needs while it runs: at the most `most` runs hold one of `key` at a time.

    The keys are `exclusive`, `resource:<name>`, `mutex:<group>`, `instances:<plan>/<task>`, and
    each of these as `within:<cid>:<key>` for a child that runs in the place of its ancestor;
    `awaited:<cid>` bounds nothing, it names an ancestor that waits.
    """

    key: str
    most: int


class Tasklet(msgspec.Struct, frozen=True, omit_defaults=True):
    """The frozen envelope that travels: which run, which attempt, of which definition, with which
    inputs.

    `inputs` is the JSON text of an object, already checked and complete with its defaults, and with
    `***` for what is secret; `sealed` has the inputs that hold a secret, as `Vault.seal` made them.
    `attempt` with the cid is the fence: what comes with an old attempt is stale. `run_at` and
    `accepted_at` are seconds since the epoch; `timeout_sec` bounds the attempt. `limits` are in the
    order of their keys. `origin` is the JSON text of what started the run (`model.origin`), if that
    was no client. `depth` counts the runs above it. `retry_of` is the run that it does over.
    `state` is the JSON text of what the plan kept when the run was claimed; None if that was
    nothing. `callback_url` is told of the run's end; a worker is not given it. `trace` is where the
    run belongs. With `has_spans` it is the span of this attempt, below which its steps have theirs.
    `plan_digest` names the plan as it was loaded where the run was accepted (`catalog.digests`).
    """

    cid: str
    plan_name: str
    task_name: str
    definition_digest: str
    accepted_at: float
    attempt: int = 1
    inputs: bytes = b"{}"
    sealed: bytes | None = None
    priority: int = 0
    run_at: float | None = None
    timeout_sec: float | None = None
    on_crash: OnCrash = OnCrash.FAIL
    labels: dict[str, str] = {}
    limits: tuple[Limit, ...] = ()
    parent_cid: str | None = None
    depth: int = 0
    origin: bytes | None = None
    retry_of: str | None = None
    state: bytes | None = None
    callback_url: str | None = None
    trace: TraceContext | None = None
    has_spans: bool = False
    plan_digest: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of a task: the row in the store, the only truth about it.

    All times are seconds since the epoch, UTC. `rank` orders runs of one priority, smaller first;
    then `arrival`, which is the cid but for a run that was moved between others. `inputs` and
    `result` are None when the caller did not ask for them. Both hold JSON text; `inputs` has `***`
    for what is secret, which stands in `sealed` (see `Tasklet`), and comes with them.
    """

    cid: str
    plan_name: str
    task_name: str
    state: RunState
    attempt: int
    priority: int
    rank: int
    arrival: str
    definition_digest: str
    created_at: float
    on_crash: OnCrash = OnCrash.FAIL
    run_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    timeout_sec: float | None = None
    labels: dict[str, str] = {}
    worker: str | None = None
    inputs: bytes | None = None
    sealed: bytes | None = None
    result: bytes | None = None
    error: RunError | None = None
    cancel: CancelRequest | None = None
    limits: tuple[Limit, ...] = ()
    parent_cid: str | None = None
    depth: int = 0
    origin: bytes | None = None
    retry_of: str | None = None
    callback_url: str | None = None
    trace: TraceContext | None = None
    plan_digest: str = ""


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an attempt ended, as its Runner reports it.

    `event` is SUCCEED, FAIL, TIME_OUT or STOPPED; `result` is the JSON text (UTF-8) of what
    `returns` gave.
    """

    cid: str
    attempt: int
    event: RunEvent
    finished_at: float
    result: bytes | None = None
    error: RunError | None = None


class RunEnd(msgspec.Struct, frozen=True):
    """What is told of a run when it has ended; `started_at` is None if it never ran. `calls_back`:
    it has a callback, which is due now.
    """

    plan_name: str
    task_name: str
    started_at: float | None
    calls_back: bool = False


class RunChanged(msgspec.Struct, frozen=True):
    """A fact, published once, after commit: the run went from one state to another at `at`.

    `source` is None for a run that has just been accepted. It is the same as `target` when a
    delayed run has become ready or a run has got another priority (queued), or a cancel has become
    a kill (cancelling). `ended` is there when `target` is an end, `grace_sec` when it is
    cancelling: how long the actions may take to end.
    """

    cid: str
    source: RunState | None
    target: RunState
    attempt: int
    at: float
    ended: RunEnd | None = None
    grace_sec: float | None = None


class CallRecord(msgspec.Struct, frozen=True, array_like=True):
    """One call of a step's action: in which turn of its loop (None without one), the how manieth
    try it was in it, how it ended (a `StepStatus` value), and when, in seconds since the epoch.
    """

    loop_index: int | None
    tried: int
    status: str
    started_at: float
    finished_at: float


class StepRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one step of one attempt did; times in seconds since the epoch.

    `status` is a `StepStatus` value; `tries` counts the calls of the action; `output` is JSON text.
    `state` is what the step has changed in what its plan keeps: by key the JSON text of the new
    value, or None if it is deleted. A record of the attempt `HANDED_DOWN` is one that the run began
    with: the run that it does over had finished the step. `calls` are the first of its calls, where
    there was more than one or a loop, by their ends.
    """

    cid: str
    attempt: int
    step: str
    status: str
    started_at: float | None = None
    finished_at: float | None = None
    tries: int = 0
    output: bytes | None = None
    error: RunError | None = None
    state: dict[str, bytes | None] = {}
    worker: str | None = None
    calls: tuple[CallRecord, ...] = ()
