"""Trace contexts of W3C: which trace a request belongs to, and what goes on from there.

May import the standard library and msgspec only. Of `traceparent` version 00 is kept.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import Final

import msgspec

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
"""The names of the headers."""

MOST_MEMBERS: Final = 32
"""Members that a `tracestate` may have; one with more is none."""
MOST_STATE_CHARACTERS: Final = 512
"""Of a `tracestate` that go on: as much as everybody should pass on."""
_LONG_MEMBER_CHARACTERS: Final = 128

_TRACEPARENT: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
    r"(?P<rest>-.*)?"
)
_MEMBER: Final = re.compile(
    r"(?P<key>[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}|[a-z0-9][a-z0-9_\-*/]{0,255})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_SAMPLED: Final = 0x01


class TraceContext(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where in which trace something belongs: the text of `traceparent`, and that of `tracestate`,
    if there is one.
    """

    parent: str
    state: str | None = None

    @property
    def trace_id(self) -> str:
        """The id of the trace."""
        return self.parent.split("-")[1]

    @property
    def headers(self) -> dict[str, str]:
        """What is sent with a request that belongs there."""
        state = {} if self.state is None else {TRACESTATE: self.state}
        return {TRACEPARENT: self.parent, **state}

    def within(self, span_id: str) -> "TraceContext":
        """The same trace, at that span."""
        version, trace, _, flags = self.parent.split("-")
        return TraceContext(f"{version}-{trace}-{span_id}-{flags}", self.state)

    def child(self) -> "TraceContext":
        """The same trace, at a new span."""
        span = secrets.token_hex(8)
        return self.within(_NO_SPAN[:-1] + "1" if span == _NO_SPAN else span)


def trace_context(parents: Sequence[str], states: Sequence[str] = ()) -> TraceContext | None:
    """The trace context that the headers `traceparent` and `tracestate` of a request say; None if
    the first is none: then they are as if they were not there.

    Of a version that is not known yet, as much is taken as version 00 knows.
    """
    found = _TRACEPARENT.fullmatch(parents[0]) if len(parents) == 1 else None
    if found is None or found["version"] == "ff" or (found["version"] == "00" and found["rest"]):
        return None
    if found["trace"] == _NO_TRACE or found["span"] == _NO_SPAN:
        return None
    flags = int(found["flags"], 16) & _SAMPLED
    return TraceContext(f"00-{found['trace']}-{found['span']}-{flags:02x}", _state(states))


def span_id(*place: object) -> str:
    """The id of the span of an attempt of a run (its cid and number), or of a step of that (its
    name, too): the server and its workers find the same one without telling each other.
    """
    digest = hashlib.sha256("/".join(map(str, place)).encode(errors="backslashreplace"))
    return digest.hexdigest()[:16]


def _state(headers: Sequence[str]) -> str | None:
    """What goes on of these `tracestate`: nothing, if that is none; of a long one first those of
    its members are left out that are long, then the last ones (W3C Trace Context, 3.3.1.5).
    """
    members = [text for each in ",".join(headers).split(",") if (text := each.strip(" \t"))]
    found = [_MEMBER.fullmatch(member) for member in members[: MOST_MEMBERS + 1]]
    keys = {each["key"] for each in found if each is not None}
    if not 0 < len(members) == len(keys) <= MOST_MEMBERS:
        return None
    if _length(members) > MOST_STATE_CHARACTERS:
        members = [each for each in members if len(each) <= _LONG_MEMBER_CHARACTERS]
    while _length(members) > MOST_STATE_CHARACTERS:
        members.pop()
    return ",".join(members) or None


def _length(members: Sequence[str]) -> int:
    return sum(map(len, members)) + len(members) - 1
