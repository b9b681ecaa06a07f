"""How one call of an action is carried out: on the loop, or in a thread, and how it is ended.

May import model, catalog, and of `engine` `attempt`, `capture`, `context` and `failures`.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from aura_aio.engine.attempt import Attempt
from aura_aio.engine.capture import flush_output
from aura_aio.engine.context import ActionContext, current_call
from aura_aio.engine.failures import Escaped


class Call(NamedTuple):
    """A function with its keyword arguments, on behalf of a step."""

    function: Callable[..., Any]
    is_async: bool
    arguments: dict[str, Any]
    context: ActionContext


class _Ended(NamedTuple):
    """What came of a call that ran beside the step."""

    value: Any
    error: BaseException | None


async def execute(call: Call, attempt: Attempt, limit_sec: float | None) -> Any:
    """What the call returns: an async function on the loop, any other in a thread.

    When the task that awaits this is cancelled, the call is asked to end, and awaited, until the
    task is cancelled a second time; then the call is left behind.

    Raises:
        TimeoutError: it took longer than `limit_sec`. An async call was cancelled and may have
            cleaned up for the grace time; a thread goes on, and sees `context.cancelled`.
        Escaped: it raised something that is no `Exception`.
        Exception: whatever it raised.
    """
    try:
        if not call.is_async:
            return await _in_thread(call, attempt, limit_sec)
        if limit_sec is None:
            return await _inline(call)
        return await _in_task(call, attempt, limit_sec)
    except (Exception, GeneratorExit):  # may go on as they are (the latter closes this coroutine)
        raise
    except asyncio.CancelledError as error:
        if attempt.stopping:
            raise
        raise Escaped(error) from error  # the action itself: nobody asked for it
    except BaseException as error:  # SystemExit, KeyboardInterrupt, what a plan made up
        raise Escaped(error) from error


async def _inline(call: Call) -> Any:
    token = current_call.set(call.context)
    try:
        return await call.function(**call.arguments)
    finally:
        current_call.reset(token)
        flush_output(call.context)


async def _in_task(call: Call, attempt: Attempt, limit_sec: float) -> Any:
    task = asyncio.get_running_loop().create_task(_caught(call))
    try:
        await asyncio.wait((task,), timeout=limit_sec)
        if task.done():
            return _unpack(task.result())
        call.context.cancelled = True
        task.cancel()
        await asyncio.wait((task,), timeout=attempt.parts.grace_sec)
        if not task.done():
            attempt.leave_behind(task)
    except asyncio.CancelledError:
        task.cancel()
        await _until_done(task, task, attempt)
        raise
    raise _took_too_long(limit_sec)


async def _in_thread(call: Call, attempt: Attempt, limit_sec: float | None) -> Any:
    context = contextvars.copy_context()
    context.run(current_call.set, call.context)
    work = attempt.parts.threads.submit(context.run, _run, call)
    waiter = asyncio.wrap_future(work)
    try:
        await asyncio.wait((waiter,), timeout=limit_sec)
        if waiter.done():
            return _unpack(waiter.result())
        call.context.cancelled = True
        waiter.cancel()  # if no thread had taken it up yet, none will
        attempt.leave_behind(work, grace_sec=attempt.parts.grace_sec)
    except asyncio.CancelledError:
        call.context.cancelled = True
        await _until_done(waiter, work, attempt)
        raise
    raise _took_too_long(limit_sec)


async def _until_done(
    waiter: asyncio.Future[_Ended], work: "Future[Any] | asyncio.Future[Any]", attempt: Attempt
) -> None:
    try:
        await asyncio.wait((waiter,))
    except asyncio.CancelledError:
        waiter.cancel()
        attempt.leave_behind(work)
        raise


async def _caught(call: Call) -> _Ended:
    """Call in a task of its own: an exception that is no `Exception` must not get into its task,
    which would hand it to the loop.
    """
    try:
        return _Ended(await _inline(call), None)
    except GeneratorExit:
        raise
    except BaseException as error:  # what it is, `execute` decides
        return _Ended(None, error)


def _run(call: Call) -> _Ended:
    try:
        return _Ended(call.function(**call.arguments), None)
    except BaseException as error:  # what it is, `execute` decides
        return _Ended(None, error)
    finally:
        flush_output(call.context)


def _unpack(ended: _Ended) -> Any:
    if ended.error is None:
        return ended.value
    if isinstance(ended.error, Exception):
        raise ended.error
    raise Escaped(ended.error) from ended.error


def _took_too_long(limit_sec: float | None) -> TimeoutError:
    return TimeoutError(f"The action took longer than {limit_sec:g} s.")
