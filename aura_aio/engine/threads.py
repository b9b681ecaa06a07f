"""Lets the threads that an action starts speak for its call, as its own thread does.

May import `engine.context` only.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from aura_aio.engine.context import ActionContext, current_call


@contextmanager
def speaking_threads(when_done: Callable[[ActionContext], None]) -> Iterator[None]:
    """While open, a thread that code of a call starts belongs to that call, and so does what is
    handed to a `ThreadPoolExecutor`, however long its threads live. `when_done` is called in the
    thread when the work is done.

    A new thread has an empty context (until Python can be told otherwise, which 3.14 can), so the
    two methods that begin such work are wrapped.
    """
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit

    def for_call(call: ActionContext, work: Callable[..., Any]) -> Callable[..., Any]:
        def work_for_call(*args: Any, **kwargs: Any) -> Any:
            token = current_call.set(call)
            try:
                return work(*args, **kwargs)
            finally:
                current_call.reset(token)
                when_done(call)

        return work_for_call

    def start_for_call(thread: threading.Thread) -> None:
        call = current_call.get()
        if call is not None:
            thread.run = for_call(call, thread.run)  # type: ignore[method-assign]
        start(thread)

    def submit_for_call(
        pool: ThreadPoolExecutor, work: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> "Future[Any]":
        call = current_call.get()
        if call is None:
            return submit(pool, work, *args, **kwargs)
        token = current_call.set(None)  # a thread of the pool outlives the call that needed it
        try:
            return submit(pool, for_call(call, work), *args, **kwargs)
        finally:
            current_call.reset(token)

    threading.Thread.start = start_for_call  # type: ignore[method-assign, assignment]
    ThreadPoolExecutor.submit = submit_for_call  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        threading.Thread.start = start  # type: ignore[method-assign]
        ThreadPoolExecutor.submit = submit  # type: ignore[method-assign]
