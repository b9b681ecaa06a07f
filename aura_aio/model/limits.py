"""Limits between runs: what a task's `concurrency` demands of a run; pure.

May import the standard library and other modules of `model` only.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from aura_aio.model.plan import Task
from aura_aio.model.run import Limit

Limits = tuple[Limit, ...]
"""What a run needs while it runs, in the order of the keys."""

EXCLUSIVE: Final = "exclusive"
RESOURCE: Final = "resource"
MUTEX: Final = "mutex"
INSTANCES: Final = "instances"
"""The kinds of limits; a key is its kind, and but for `exclusive` a name: `mutex:site`."""

MOST_AT_ONCE: Final = 1_000_000
"""No limit is above this."""

_WITHIN: Final = "within"
_AWAITED: Final = "awaited"
_NUMBER: Final = re.compile(r"[+-]?[0-9]+([.,][0-9]*)?")


def limits_of(task: Task) -> Limits:
    """What every run of `task` needs."""
    concurrency = task.meta.concurrency
    limits = [
        Limit(f"{RESOURCE}:{name}", most)
        for name, most in map(split_resource, concurrency.resources)
    ]
    if concurrency.mode == EXCLUSIVE:
        limits.append(Limit(EXCLUSIVE, 1))
    if concurrency.mutex_group is not None:
        limits.append(Limit(f"{MUTEX}:{concurrency.mutex_group}", 1))
    if concurrency.max_instances is not None:
        limits.append(Limit(f"{INSTANCES}:{task.full_task_id}", concurrency.max_instances))
    return _in_order(limits)


def split_resource(text: str) -> tuple[str, int]:
    """The name of a resource, and how many runs may use it at once: `api:example:5` is
    (`api:example`, 5), and `api:example` alone is (`api:example`, 1).

    Raises:
        ValueError: it is neither; the message says what is wrong.
    """
    name, colon, number = (part.strip() for part in text.rpartition(":"))
    if colon and not number:
        raise ValueError(f"no number stands after the colon of {text!r}")
    if not _NUMBER.fullmatch(number):
        name, number = text.strip(), "1"
    if not name:
        raise ValueError(f"{text!r} has no name")
    if not number.isdecimal() or not 1 <= int(number) <= MOST_AT_ONCE:
        raise ValueError(f"{number} is no whole number from 1 to {MOST_AT_ONCE:,}")
    return name, int(number)


def limits_of_child(limits: Limits, ancestors: Sequence[tuple[str, Limits]]) -> Limits:
    """What a child run needs, of a task that demands `limits`.

    `ancestors` are the runs above it with what they need, the parent first. What one of them
    holds, the child must not wait for, or both would wait for ever: it runs in the place of the
    nearest ancestor that holds it. Children of one place take turns in it, so that their number
    at a time is never above the limit either.

    A child that needs anything also names the ancestors that hold something, each with a limit that
    is never reached: who waits for one of these must not hold the child up (`model.lanes`).
    """
    if not limits:
        return ()
    awaited = (Limit(f"{_AWAITED}:{cid}", MOST_AT_ONCE) for cid, held in ancestors if held)
    return _in_order([*(_within(limit, ancestors) for limit in limits), *awaited])


def waiting_for(limits: Limits) -> frozenset[str]:
    """The cids of the runs that hold something, and wait for the child that has these limits."""
    return frozenset(
        limit.key.partition(":")[2] for limit in limits if limit.key.startswith(f"{_AWAITED}:")
    )


def kind_and_name(key: str) -> tuple[str, str | None]:
    """What a key stands for: `mutex:site` is (`mutex`, `site`)."""
    kind, colon, name = _bare(key).partition(":")
    return kind, name if colon else None


def _within(limit: Limit, ancestors: Sequence[tuple[str, Limits]]) -> Limit:
    for cid, held in ancestors:
        if any(_bare(each.key) == limit.key for each in held):
            return Limit(f"{_WITHIN}:{cid}:{limit.key}", 1)
    return limit


def _bare(key: str) -> str:
    """The key without the ancestor in whose place it is held."""
    return key.split(":", 2)[2] if key.startswith(f"{_WITHIN}:") else key


def _in_order(limits: Iterable[Limit]) -> Limits:
    return tuple(sorted(limits, key=lambda limit: limit.key))
