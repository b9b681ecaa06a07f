"""What holds for every answer of the server, whatever the operation (CONTRACT.md, "HTTP habits").

Imports the standard library only.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_POINTER = re.compile(r"(/([^~]|~[01])*)?", re.DOTALL)


class BadHabit(AssertionError):
    """An answer breaks what holds for all of them."""


def check_habits(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Pass an answer that names its request, that nobody keeps without asking, that says where the
    next page is if there is one, and whose faults are at JSON Pointers.

    Raises:
        BadHabit: it differs; the message says how.
    """
    found = [*_headers(status, headers)]
    if "json" in headers.get("Content-Type", "") and body and b"\n" not in body.rstrip(b"\n"):
        value = json.loads(body)
        if isinstance(value, dict):
            found += _values(value, headers)
    if found:
        raise BadHabit(f"{status} {dict(headers)}: {'; '.join(found)}: {body[:500]!r}")


def _headers(status: int, headers: Mapping[str, str]) -> Iterator[str]:
    if "X-Request-ID" not in headers:
        yield "X-Request-ID is missing"
    kept = headers.get("Cache-Control", "nothing")
    if status != 204 and kept != "no-store" and "ETag" not in headers:
        yield f"Cache-Control says {kept}"
    if "ETag" in headers and kept not in {"no-cache", "no-store"}:
        yield f"it has an ETag, and Cache-Control says {kept}"


def _values(value: dict[str, Any], headers: Mapping[str, str]) -> Iterator[str]:
    if ("next_cursor" in value) != ('rel="next"' in headers.get("Link", "")):
        yield f"Link says {headers.get('Link', 'nothing')}"
    faults = [*value.get("errors", ())]
    for item in value.get("items", ()):
        if isinstance(item, dict) and isinstance(item.get("error"), dict):
            faults += item["error"].get("errors", ())
    for fault in faults:
        field = fault.get("field", "") if isinstance(fault, dict) else ""
        if not _POINTER.fullmatch(field):
            yield f"the field {field!r} is no JSON Pointer"
