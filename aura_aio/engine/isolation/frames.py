"""What a worker and the process of one call, its guest, say to each other over two pipes.

May import msgspec, model, and of `engine` `context` and `state`.

A packet is 4 bytes of length (big-endian) and the msgpack of one frame.
"""

import os
import struct
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from aura_aio.engine.context import RunIdentity
from aura_aio.engine.state import Changes
from aura_aio.model.log import LogLine
from aura_aio.model.plan import ActionSpec
from aura_aio.model.run import RunError

MAX_PACKET_BYTES: Final = 256 * 1024 * 1024


class CallFrame(msgspec.Struct, frozen=True, tag="call"):
    """Worker → guest, first: what to call.

    `spec` says where the action is in the plan whose folder is `plan_root`; without it, the action
    is a built-in one. `params` are JSON, as are the values of `state`. `secrets` are those to mask.
    """

    run: RunIdentity
    step: str
    action: str
    plan_root: str | None
    spec: ActionSpec | None
    params: bytes
    state: dict[str, bytes]
    secrets: tuple[Any, ...]
    data_root: str


class EndFrame(msgspec.Struct, frozen=True, tag="end"):
    """Worker → guest: the call should end by itself. The end of the pipe means: end at once."""


class LineFrame(msgspec.Struct, frozen=True, tag="line"):
    """Guest → worker: a line for the run's log."""

    line: LogLine


class ProgressFrame(msgspec.Struct, frozen=True, tag="progress"):
    """Guest → worker: how far the run has come."""

    fraction: float
    message: str


class ReturnedFrame(msgspec.Struct, frozen=True, tag="returned"):
    """Guest → worker, last: what the call gave, as JSON, and what it changed in the state."""

    result: bytes
    state: Changes


class RaisedFrame(msgspec.Struct, frozen=True, tag="raised"):
    """Guest → worker, last: what the call raised; `classes` are the names of the exception's
    classes, alone and with their modules.
    """

    error: RunError
    classes: tuple[str, ...]


class RefusedFrame(msgspec.Struct, frozen=True, tag="refused"):
    """Guest → worker, last: the call did not come about, or its result cannot be taken. `error` is
    of the type `BadParameters` or `ResultNotJson`; of any other, the module was not imported.
    """

    error: RunError


ToGuest = CallFrame | EndFrame
FromGuest = LineFrame | ProgressFrame | ReturnedFrame | RaisedFrame | RefusedFrame
Ending = ReturnedFrame | RaisedFrame | RefusedFrame

T = TypeVar("T")

_LENGTH: Final = struct.Struct(">I")
_encoder: Final = msgspec.msgpack.Encoder()
_to_guest: Final[msgspec.msgpack.Decoder[ToGuest]] = msgspec.msgpack.Decoder(ToGuest)
_from_guest: Final[msgspec.msgpack.Decoder[FromGuest]] = msgspec.msgpack.Decoder(FromGuest)


def write_frame(pipe: int, frame: ToGuest | FromGuest) -> None:
    """Write a frame into the pipe with this descriptor; blocks until it is in.

    Raises:
        OSError: nobody reads it.
    """
    body = _encoder.encode(frame)
    rest = memoryview(_LENGTH.pack(len(body)) + body)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def read_for_guest(pipe: int) -> ToGuest | None:
    """The next frame of the worker; None at the end of the pipe. Blocks."""
    return _read(pipe, _to_guest.decode)


def read_for_worker(pipe: int) -> FromGuest | None:
    """The next frame of a guest; None at the end of the pipe. Blocks.

    Raises:
        msgspec.DecodeError: what came is no frame.
    """
    return _read(pipe, _from_guest.decode)


def _read(pipe: int, decode: Callable[[bytes], T]) -> T | None:
    head = _read_exactly(pipe, _LENGTH.size)
    if not head:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > MAX_PACKET_BYTES:
        raise msgspec.DecodeError(f"a packet of {length} bytes is over the limit")
    body = _read_exactly(pipe, length)
    return decode(body) if body else None


def _read_exactly(pipe: int, count: int) -> bytes:
    """So many bytes; none if the pipe ends before."""
    found = bytearray()
    while len(found) < count:
        part = os.read(pipe, min(count - len(found), 1024 * 1024))
        if not part:
            return b""
        found += part
    return bytes(found)
