"""What a log entry looks like on the wire, and what a line must be to get there.

May import `model` and msgspec only.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec

from aura_aio.model import json
from aura_aio.model.clock import rfc3339, to_the_second
from aura_aio.model.log import LogEntry, LogLevel, LogLine

_LATEST = 253_402_300_799  # 9999-12-31T23:59:59Z: what RFC 3339 can spell
_DEPTH = 8  # of what is repaired: sound data may be as deep as the encoder takes it
_TEXTS = ("logger", "message", "cid", "plan_name", "task_name", "step", "worker")


class LogEntryView(msgspec.Struct, frozen=True, omit_defaults=True):
    """`LogEntry` of the contract: absent properties are left out, never null."""

    seq: int
    timestamp: str
    level: LogLevel
    logger: str
    message: str
    cid: str | None = None
    plan_name: str | None = None
    task_name: str | None = None
    step: str | None = None
    attempt: int | None = None
    worker: str | None = None
    data: dict[str, Any] | None = None


_PLACE = ("cid", "plan_name", "task_name", "step", "attempt", "worker")
"""What stands behind the message of an entry without data, if it is there."""

_alike = attrgetter("level", "logger", *_PLACE)


def view(entry: LogEntry) -> LogEntryView:
    """`entry` in the contract's form; the timestamp is RFC 3339 in UTC with microseconds."""
    line = entry.line
    return LogEntryView(
        entry.seq,
        rfc3339(line.timestamp),
        line.level,
        line.logger,
        line.message,
        line.cid,
        line.plan_name,
        line.task_name,
        line.step,
        line.attempt,
        line.worker,
        line.data,
    )


def payload(entry: LogEntry) -> bytes:
    """`view(entry)` as compact UTF-8 JSON. Never fails for an entry of a line that is `sound`."""
    try:
        return json.dumps(view(entry))
    except RecursionError:  # the encoder's limit depends on the depth of the caller's stack
        return json.dumps(view(_with_plain_data(entry)))


def payloads(entries: Sequence[LogEntry]) -> list[bytes]:
    """`payload` of each. What neighbours have in common is spelled once: mostly all but the number,
    the time and the message.
    """
    texts = []
    alike: tuple[Any, ...] = ()
    second = -1
    before = behind = time = b""
    for entry in entries:
        line = entry.line
        if line.data is not None:
            texts.append(payload(entry))
            continue
        if (this := _alike(line)) != alike:
            alike = this
            before, behind = _around_message(*alike)
        microseconds = round(line.timestamp * 1_000_000)
        if microseconds // 1_000_000 != second:
            second = microseconds // 1_000_000
            time = to_the_second(second).encode()
        rest, message = microseconds - second * 1_000_000, json.dumps(line.message)
        texts.append(
            b'{"seq":%d,"timestamp":"%b.%06dZ%b%b%b'
            % (entry.seq, time, rest, before, message, behind)
        )
    return texts


@lru_cache(maxsize=256)
def _around_message(level: LogLevel, logger: str, *place: Any) -> tuple[bytes, bytes]:
    """What stands between the time and the message of an entry without data, and behind it."""
    fields = zip(_PLACE, place, strict=True)
    behind = json.dumps({name: value for name, value in fields if value is not None})
    before = b'","level":%b,"logger":%b,"message":' % (json.dumps(level), json.dumps(logger))
    return before, b"," + behind[1:] if len(behind) > len(b"{}") else b"}"


def sound(line: LogLine, now: float) -> LogLine:
    """`line` itself when it can be stored and sent, else the nearest line that can.

    Actions log what they like: lone surrogates (file names, broken decoding) become escapes like
    `\\udce4`, values without a JSON form their `repr`, an impossible timestamp `now` (seconds since
    the epoch).
    """
    if _is_plain(line):
        return line
    changes: dict[str, Any] = {}
    for name in _TEXTS:
        text = getattr(line, name)
        if text is not None and not text.isascii() and (fit := _text(text)) != text:
            changes[name] = fit
    if not 0 <= line.timestamp <= _LATEST:
        changes["timestamp"] = now
    if line.data is not None and not _has_json_form(line.data):
        changes["data"] = plain(line.data)
    return msgspec.structs.replace(line, **changes) if changes else line


def _is_plain(line: LogLine) -> bool:
    """Whether it is sound at a glance, as nearly every line is: isascii() reads a flag."""
    return (
        line.data is None
        and line.message.isascii()
        and line.logger.isascii()
        and 0 <= line.timestamp <= _LATEST
        and (line.cid or "").isascii()
        and (line.plan_name or "").isascii()
        and (line.task_name or "").isascii()
        and (line.step or "").isascii()
        and (line.worker or "").isascii()
    )


def plain(value: Any, depth: int = 0) -> Any:
    """`value` made of JSON's own kinds: what has none becomes its `repr`, what is too deep `…`."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _text(value)
    if depth >= _DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {_text(str(key)): plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        return [plain(each, depth + 1) for each in value]
    return _text(repr(value))


def _with_plain_data(entry: LogEntry) -> LogEntry:
    data = plain(entry.line.data)
    return LogEntry(entry.seq, msgspec.structs.replace(entry.line, data=data))


def _text(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _has_json_form(data: dict[str, Any]) -> bool:
    try:
        json.dumps(data)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return False
    return True
