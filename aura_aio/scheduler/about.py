"""What a server is and has been told to be, and what its start has found.

May import model and the standard library only.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from aura_aio.model.clock import Clock
from aura_aio.model.ports import RunStore
from aura_aio.model.run import OnCrash

_log = logging.getLogger("aura.scheduler.about")

MOST_NAMED: Final = 1_000


class Recovered(msgspec.Struct, frozen=True):
    """Runs with which the start did the same: how many, and the first `MOST_NAMED` cids."""

    count: int
    cids: tuple[str, ...]


class Recovery(msgspec.Struct, frozen=True):
    """What the start found under way, and did: `resumed` and `restarted` runs are queued again, to
    go on from their finished steps or to begin anew. `at` in seconds since the epoch.
    """

    at: float
    duration_sec: float
    resumed: Recovered
    restarted: Recovered
    failed: Recovered
    cancelled: Recovered


class About(msgspec.Struct, frozen=True):
    """What a server is; `limits` by the names of the settings."""

    store: str
    dispatcher: str
    limits: Mapping[str, int]
    allows_shell: bool
    cors_origins: tuple[str, ...]
    recovery: Recovery


async def recover(runs: RunStore, clock: Clock) -> Recovery:
    """Decide over every run that the end of the server before has cut off; before any claim."""
    at, began = clock.now(), clock.monotonic()
    found = await runs.recover()
    counts = {outcome: len(cids) for outcome, cids in found.items()}
    _log.info("recovered", extra={"action": "recovered", **counts})
    queued = await runs.states(found["requeued"])
    resumed = [cid for cid, run in queued.items() if run.on_crash is OnCrash.RESUME]
    return Recovery(
        at=at,
        duration_sec=max(0.0, clock.monotonic() - began),
        resumed=_recovered(resumed),
        restarted=_recovered([cid for cid in queued if cid not in set(resumed)]),
        failed=_recovered(found["failed"]),
        cancelled=_recovered(found["cancelled"]),
    )


def _recovered(cids: Sequence[str]) -> Recovered:
    return Recovered(len(cids), tuple(sorted(cids)[:MOST_NAMED]))
