"""A worker's end of its link, and the server's, over real sockets.

Imports pytest and the worker's frames.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from aura_aio.worker.frames import FrameWriter


class Ends(NamedTuple):
    """What is sent at the one end can be read at the other."""

    frames: FrameWriter
    reader: asyncio.StreamReader


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    """Both ends of a link of its own."""
    ours, theirs = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=ours)
    reader, end = await asyncio.open_connection(sock=theirs)
    frames = FrameWriter(writer)
    yield Ends(frames, reader)
    await frames.aclose()
    end.close()
