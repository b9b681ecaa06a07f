"""The built-in action that runs another task: `aura.run_task`.

May import model, and of `engine` `children`, `context`, `failures` and `results`.
"""

import asyncio
import math
from typing import Any, Final

from aura_aio.engine.children import ChildRuns
from aura_aio.engine.context import ActionContext
from aura_aio.engine.failures import ChildFailed, ChildNotStarted
from aura_aio.engine.results import to_json
from aura_aio.model import json
from aura_aio.model.children import ChildEnd, ChildRequest
from aura_aio.model.log import LogLevel
from aura_aio.model.states import RunState

MOST_PRIORITY: Final = 100
MOST_LABELS: Final = 32
MOST_LABEL_CHARACTERS: Final = 255


async def run_task(  # noqa: PLR0913 - these are the words of a step
    context: ActionContext,
    *,
    task: str | None = None,
    plan_name: str | None = None,
    inputs: dict[str, Any] | None = None,
    wait: bool = True,
    must_succeed: bool = True,
    priority: int | None = None,
    timeout_sec: float | None = None,
    labels: dict[str, str] | None = None,
    task_ref: str | None = None,
) -> dict[str, Any]:
    """Run another task as a child run: `task` of the same plan, or of `plan_name`, with `inputs`.
    Gives its `cid`, its `status` and its `result`; with `wait: false` at once, without a result.

    A child that does not succeed fails the step; with `must_succeed: false` its `status` and
    `error` are given instead. Its priority is that of the parent, unless `priority` is given.
    When the parent is cancelled or ends in any way but success, its children are cancelled.
    (`task_ref` is another word for `task`.)

    Raises:
        ValueError: the parameters do not make a request.
        ChildNotStarted: there is no such task, or the inputs do not fit it, or it is too deep.
        ChildFailed: the child did not succeed.
    """
    if context.child_runs is None:
        raise ChildNotStarted("There are no child runs here.")
    if (task is None) == (task_ref is None):
        raise ValueError("Say which task to run: give 'task' (or 'task_ref', not both).")
    request = ChildRequest(
        parent_cid=context.cid,
        attempt=context.attempt,
        step=context.step,
        turn=context.turn,
        tries=context.tries,
        plan_name=plan_name or context.plan_name,
        task_name=task or task_ref or "",
        wait=wait,
        inputs=to_json(inputs or {}, "What 'inputs' gives"),
        priority=_checked_priority(priority),
        timeout_sec=_checked_timeout(timeout_sec),
        labels=_checked_labels(labels or {}),
        trace=context.trace,
    )
    end = await _run(context, context.child_runs, request)
    if end.state is not RunState.SUCCEEDED and wait and must_succeed:
        raise ChildFailed(_how_it_ended(request, end))
    return _told(end)


async def _run(context: ActionContext, child_runs: ChildRuns, request: ChildRequest) -> ChildEnd:
    """Start the child, and wait for it if so wanted (else its state is `queued`)."""
    child = child_runs.ask(request)
    try:
        cid = await child.started()
        message = f"Child run {cid} of {request.plan_name}/{request.task_name}"
        data = {"child_cid": cid}
        context.write_line(LogLevel.INFO, message, logger=context.action, data=data)
        return await child.ended() if request.wait else ChildEnd(cid, RunState.QUEUED)
    except asyncio.CancelledError:
        if context.cancelled:  # the step's time is over (or the run is: then it makes no odds)
            child.drop()
        raise


def _told(end: ChildEnd) -> dict[str, Any]:
    told: dict[str, Any] = {"cid": end.cid, "status": end.state.value}
    if end.state is RunState.SUCCEEDED:
        told["result"] = None if end.result is None else json.loads(end.result)
    if end.error is not None:
        told["error"] = {"type": end.error.type, "message": end.error.message}
    return told


def _how_it_ended(request: ChildRequest, end: ChildEnd) -> str:
    child = f"Child run {end.cid} of {request.plan_name}/{request.task_name}"
    why = "." if end.error is None else f": {end.error.type}: {end.error.message}"
    return f"{child} ended as {end.state}{why}"


def _checked_priority(priority: int | None) -> int | None:
    if priority is not None and not -MOST_PRIORITY <= priority <= MOST_PRIORITY:
        raise ValueError(
            f"'priority' goes from {-MOST_PRIORITY} to {MOST_PRIORITY}: {priority} does not fit."
        )
    return priority


def _checked_timeout(timeout_sec: float | None) -> float | None:
    if timeout_sec is not None and not (timeout_sec > 0 and math.isfinite(timeout_sec)):
        raise ValueError(f"'timeout_sec' must be more than 0: {timeout_sec} does not fit.")
    return timeout_sec


def _checked_labels(labels: dict[str, str]) -> dict[str, str]:
    """`labels`, if the contract allows a client the same."""
    if len(labels) > MOST_LABELS:
        raise ValueError(f"There are {len(labels)} labels, and {MOST_LABELS} are allowed.")
    for key, value in labels.items():
        if not 0 < len(key) < 64 or "=" in key or len(value) > MOST_LABEL_CHARACTERS:
            raise ValueError(
                f"The label {key!r} does not fit: a key has 1 to 63 characters and no '=', a value "
                f"at the most {MOST_LABEL_CHARACTERS}."
            )
    return labels


ACTIONS: Final = {"aura.run_task": run_task}
