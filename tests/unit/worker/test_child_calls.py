"""Calls of `aura.run_task` in a worker: once they are answered, nothing of them is kept.

Imports pytest, aura_aio.model and the worker's parts.
"""

import asyncio
import gc
import socket
import weakref
from collections.abc import AsyncIterator

import pytest

from aura_aio.engine.failures import ChildNotStarted
from aura_aio.model.children import ChildEnd, ChildRequest
from aura_aio.model.states import RunState
from aura_aio.worker.child_calls import ChildCall, ChildCalls
from aura_aio.worker.frames import ChildEnded, ChildRefused, ChildStarted, FrameWriter

END = ChildEnd("c", RunState.SUCCEEDED)


@pytest.fixture
async def calls() -> AsyncIterator[ChildCalls]:
    ours, theirs = socket.socketpair()
    with theirs:
        _, writer = await asyncio.open_connection(sock=ours)
        frames = FrameWriter(writer)
        yield ChildCalls(frames)
        await frames.aclose()


def request(*, wait: bool) -> ChildRequest:
    return ChildRequest("p", 1, "s", None, 1, "plan", "task", wait)


def is_forgotten(call: "weakref.ref[ChildCall]") -> bool:
    gc.collect()
    return call() is None


async def test_a_call_that_waits_is_kept_until_the_child_has_ended(calls: ChildCalls) -> None:
    call = calls.ask(request(wait=True))
    calls.take(ChildStarted(1, "c"))
    assert await call.started() == "c"
    calls.take(ChildEnded(1, END))
    assert await call.ended() == END
    kept = weakref.ref(call)
    del call
    assert is_forgotten(kept)


async def test_a_call_that_does_not_wait_is_kept_until_the_child_is_there(
    calls: ChildCalls,
) -> None:
    call = calls.ask(request(wait=False))
    calls.take(ChildStarted(1, "c"))
    assert await call.started() == "c"
    kept = weakref.ref(call)
    del call
    assert is_forgotten(kept)


@pytest.mark.parametrize("wait", [False, True])
async def test_a_call_that_is_refused_or_dropped_is_kept_no_longer(
    calls: ChildCalls, wait: bool
) -> None:
    refused, dropped = calls.ask(request(wait=wait)), calls.ask(request(wait=wait))
    calls.take(ChildRefused(1, "there is no such task"))
    with pytest.raises(ChildNotStarted, match="no such task"):
        await refused.started()
    dropped.drop()
    calls.take(ChildStarted(2, "c"))  # too late
    kept = weakref.ref(refused), weakref.ref(dropped)
    del refused, dropped
    assert all(map(is_forgotten, kept))
