"""A call in a guest, as a step awaits it: started, and ended when its time is over.

May import model.json, `catalog.actions`, and of `engine` `attempt`, `context`, `failures` and the
worker's end of guests.
"""

import asyncio
from typing import Any, Final, NamedTuple

from aura_aio.catalog.actions import LoadedAction
from aura_aio.engine.attempt import Attempt
from aura_aio.engine.context import ActionContext
from aura_aio.engine.failures import (
    ActionNotImported,
    BadParameters,
    ProcessLost,
    RaisedElsewhere,
    ResultNotJson,
)
from aura_aio.engine.isolation.frames import (
    CallFrame,
    Ending,
    RaisedFrame,
    RefusedFrame,
    ReturnedFrame,
)
from aura_aio.engine.isolation.host import Died, Guest
from aura_aio.engine.results import to_json
from aura_aio.model import json

NOTICE_SEC: Final = 1.0
"""How long before the end of its grace a call that does not end by itself is terminated."""
_GONE_SEC: Final = 5.0

_REFUSALS: Final = {kind.__name__: kind for kind in (BadParameters, ResultNotJson)}


class IsolatedCall(NamedTuple):
    """An action with its parameters, on behalf of a step."""

    action: LoadedAction
    params: dict[str, Any]
    context: ActionContext


async def call_in_process(call: IsolatedCall, attempt: Attempt, limit_sec: float | None) -> Any:
    """What the call returns, as it is once it has been JSON.

    When the task that awaits this is cancelled, or the limit is over, the call is told to end. What
    has not ended shortly before its grace is over is terminated, and then killed.

    Raises:
        TimeoutError: it took longer than `limit_sec`; the process is gone.
        ProcessLost: its process ended before the call did.
        RaisedElsewhere: the call raised.
        BadParameters, ResultNotJson, ActionNotImported: as in the worker itself.
    """
    guest = Guest(_frame(call, attempt), call.context, attempt.journal, attempt.parts.start_process)
    ending = asyncio.wrap_future(attempt.parts.threads.submit(guest.run))
    loop = asyncio.get_running_loop()
    try:
        await asyncio.wait((ending,), timeout=limit_sec)
        if not ending.done():
            await _end(guest, ending, loop.time() + attempt.parts.grace_sec)
            raise TimeoutError(f"The action took longer than {limit_sec:g} s.")
    except asyncio.CancelledError:
        await _end(guest, ending, attempt.deadline)
        raise
    finally:
        guest.kill()
        ending.cancel()
    return _unpack(ending.result(), call)


def _frame(call: IsolatedCall, attempt: Attempt) -> CallFrame:
    context = call.context
    return CallFrame(
        run=attempt.run,
        step=context.step,
        action=call.action.name,
        plan_root=call.action.plan_root,
        spec=call.action.spec,
        params=to_json(call.params, f"What action {call.action.name!r} is given"),
        state=context.state.texts(),
        secrets=attempt.mask.values,
        data_root=str(attempt.parts.data_dir),
    )


async def _end(guest: Guest, ending: "asyncio.Future[Ending | Died]", deadline: float) -> None:
    """See to it that the call is over at `deadline`."""
    loop = asyncio.get_running_loop()
    left = deadline - loop.time()
    waiting: tuple[asyncio.Future[Any], ...] = (ending,)
    try:
        if left > 0:
            waiting = (ending, loop.run_in_executor(None, guest.tell))
            notice = min(NOTICE_SEC, left / 2)
            await asyncio.wait((ending,), timeout=left - notice)
            guest.terminate()
            await asyncio.wait((ending,), timeout=notice)
    finally:
        guest.kill()
    await asyncio.wait(waiting, timeout=_GONE_SEC)


def _unpack(ending: Ending | Died, call: IsolatedCall) -> Any:
    match ending:
        case ReturnedFrame():
            call.context.state.take(ending.state)
            return json.loads(ending.result)
        case RaisedFrame():
            raise RaisedElsewhere(ending.error, ending.classes)
        case RefusedFrame(error=error):
            kind = _REFUSALS.get(error.type)
            raise ActionNotImported(error) if kind is None else kind(error.message)
        case Died():
            raise ProcessLost(f"The process of action {call.action.name!r} {ending.how}.")
