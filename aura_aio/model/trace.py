"""Trace contexts of W3C: which trace a request belongs to, and what goes on from there.

May import the standard library only. What is kept is the text of `traceparent`, in version 00.
"""

import re
import secrets
from collections.abc import Sequence
from typing import Final

TRACEPARENT: Final = "traceparent"
"""The name of the header."""

_TRACEPARENT: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
    r"(?P<rest>-.*)?"
)
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_SAMPLED: Final = 0x01


def traceparent_of(headers: Sequence[str]) -> str | None:
    """The trace context that the headers `traceparent` of a request say; None if that is none: then
    they are as if they were not there.

    Of a version that is not known yet, as much is taken as version 00 knows.
    """
    found = _TRACEPARENT.fullmatch(headers[0]) if len(headers) == 1 else None
    if found is None or found["version"] == "ff" or (found["version"] == "00" and found["rest"]):
        return None
    if found["trace"] == _NO_TRACE or found["span"] == _NO_SPAN:
        return None
    return f"00-{found['trace']}-{found['span']}-{int(found['flags'], 16) & _SAMPLED:02x}"


def trace_id(traceparent: str) -> str:
    """The id of the trace."""
    return traceparent.split("-")[1]


def child_of(traceparent: str) -> str:
    """The context of a new span in the same trace."""
    version, trace, _, flags = traceparent.split("-")
    span = secrets.token_hex(8)
    return f"{version}-{trace}-{_NO_SPAN[:-1] + '1' if span == _NO_SPAN else span}-{flags}"
