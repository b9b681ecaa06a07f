"""A hostile request: its name, its bytes, and what may be answered.

Imports the standard library and `wire` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from tests.hostile.wire import request

ANY_REFUSAL = frozenset(range(400, 500))
RUN = b'{"plan_name": "hello", "task_name": "greet", "inputs": {"name": "Ada"}}'
"""What would be accepted, if it came as it should."""


@dataclass(frozen=True)
class Case:
    """A connection. Every answer on it is a refusal, one of `statuses`.

    `silent`: the server may also close it without a word. `half_close`: the client says that no
    more comes, once all is sent. The first `good` answers are for what is right.
    """

    name: str
    sent: bytes
    statuses: frozenset[int] = ANY_REFUSAL
    silent: bool = False
    half_close: bool = False
    good: int = 0


def named(
    group: str, cases: Mapping[str, bytes], *statuses: int, silent: bool = False
) -> list[Case]:
    """Cases of a group, which differ in their bytes only."""
    allowed = frozenset(statuses) or ANY_REFUSAL
    return [Case(f"{group}: {name}", sent, allowed, silent) for name, sent in cases.items()]


def run(*headers: str | bytes, body: bytes = RUN, json: bool = True) -> bytes:
    """A request to runTask."""
    return request("POST", "/api/tasks/run", *headers, body=body, json=json)


get = partial(request, "GET")
