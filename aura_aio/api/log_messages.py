"""The words of the log stream, as asyncapi.yaml has them: what comes in, what goes out, as frames.

May import `model` and msgspec only.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from aura_aio.model import json
from aura_aio.model.errors import RequestInvalid
from aura_aio.model.log import LogFilter, LogLevel
from aura_aio.model.task_names import task_name

MOST_TAIL: Final = 10_000


class Ping(msgspec.Struct, frozen=True, tag="ping", forbid_unknown_fields=True):
    """Asks for a `pong`."""


class Subscribe(msgspec.Struct, frozen=True, tag="subscribe", forbid_unknown_fields=True):
    """Asks for another part of the stream, in place of the present one."""

    level: LogLevel = LogLevel.DEBUG
    cid: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    plan_name: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    task_name: Annotated[str, Meta(min_length=1, max_length=512)] | UnsetType = UNSET
    since: Annotated[int, Meta(ge=0, le=2**53 - 1)] | UnsetType = UNSET
    tail: Annotated[int, Meta(ge=0, le=MOST_TAIL)] | UnsetType = UNSET
    batch: bool = False


class StreamRequest(msgspec.Struct, frozen=True):
    """What a monitor wants: entries that pass `where`; first the stored ones after the seq `since`,
    the last `tail` of them at the most; with `batch`, many in one message.
    """

    where: LogFilter
    since: int | None = None
    tail: int | None = None
    batch: bool = False


_OFFER: Final = (
    'Send {"type": "subscribe"} with any of level, cid, plan_name, task_name, since, tail, batch, '
    'or {"type": "ping"}.'
)
_incoming: Final = msgspec.json.Decoder(Subscribe | Ping)
_FAULT: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<where>[^`]*)`)?$", re.DOTALL)


def filter_from(data: Mapping[str, Any]) -> StreamRequest:
    """What the query of `GET /ws/logs` asks for; values may be typed already, or still be text.

    Parameters that are not of the stream, and those that are None, are left alone.

    Raises:
        RequestInvalid: a value is out of its bounds.
    """
    known = {
        name: data[name]
        for name in Subscribe.__struct_fields__
        if name in data and data[name] is not None
    }
    try:
        asked = msgspec.convert({**known, "type": "subscribe"}, Subscribe, strict=False)
    except msgspec.ValidationError as error:
        raise _refused(error) from error
    return _request(asked)


def understand(text: str) -> StreamRequest | Ping:
    """What a monitor's message asks for.

    Raises:
        RequestInvalid: it is none that the stream knows.
    """
    try:
        json.loads_strictly(text)
        asked = _incoming.decode(text)
    except msgspec.ValidationError as error:
        raise _refused(error) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise RequestInvalid(
            [("", f"It is no JSON that can be read ({error}). {_OFFER}")]
        ) from error
    return asked if isinstance(asked, Ping) else _request(asked)


def _request(asked: Subscribe) -> StreamRequest:
    return StreamRequest(
        where=LogFilter(
            level=asked.level,
            cid=asked.cid or None,
            plan_name=asked.plan_name or None,
            task_name=task_name(asked.task_name) if asked.task_name else None,
        ),
        since=None if asked.since is UNSET else asked.since,
        tail=None if asked.tail is UNSET else asked.tail,
        batch=asked.batch,
    )


def _refused(error: msgspec.ValidationError) -> RequestInvalid:
    fault = _FAULT.match(str(error))
    what, where = (fault["what"], fault["where"]) if fault else (str(error), None)
    if where:
        return RequestInvalid([(f"/{where}", what)])
    return RequestInvalid([("", f"{what}. {_OFFER}")])


def text_frame(body: bytes) -> bytes:
    """`body` (UTF-8) as one unmasked WebSocket text frame (RFC 6455, 5.2)."""
    size = len(body)
    if size < 126:
        return b"\x81%c%b" % (size, body)
    if size < 65_536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), body)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), body)


def message(kind: str, payload: object) -> bytes:
    """The frame of a message that is not made of log entries."""
    return text_frame(json.dumps({"type": kind, "payload": payload}))


def log_frames(payloads: tuple[bytes, ...]) -> bytes:
    """One `log` message per entry, frame after frame."""
    return b"".join([_head_of_log(len(each)) + each + b"}" for each in payloads])


@lru_cache(maxsize=4096)
def _head_of_log(size: int) -> bytes:
    """What stands before the payload of this size in the frame of a `log` message."""
    before = b'{"type":"log","payload":'
    frame = text_frame(before + bytes(size + len(b"}")))
    return frame[: len(frame) - size - len(b"}")]


def logs_frame(payloads: tuple[bytes, ...]) -> bytes:
    """One `logs` message with all entries."""
    return text_frame(b'{"type":"logs","payload":[%b]}' % b",".join(payloads))
