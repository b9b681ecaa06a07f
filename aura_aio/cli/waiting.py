"""Why a run waits, in words.

May import `cli.text` and the standard library.
"""

from collections.abc import Mapping
from typing import Any, Final

from aura_aio.cli.text import count, local_time

_REASONS: Final[Mapping[str, str]] = {
    "paused": "its queue is paused",
    "stopped": "the system is stopped",
    "delayed": "delayed",
    "exclusive": "another exclusive run is active",
    "resource": "a resource is in use",
    "mutex": "its group is taken",
    "max_instances": "enough runs of its task are active",
    "no_worker": "no worker is free",
    "no_host": "no worker is free where its plan is as it was",
    "behind": "others go first",
}

_WAYS_OUT: Final[Mapping[str, str]] = {
    "paused": "aura queue says how to resume it",
    "stopped": "start it with: aura system start",
}
"""What holds a run back until somebody acts."""

_NAMED: Final = {"resource", "mutex"}
"""What is taken is named; with `max_instances` it is the task, which is known."""


def waits_for(waiting: Mapping[str, Any]) -> str:
    """What a `Waiting` of the contract says: `2 runs go first; a resource is in use (db)`."""
    parts = []
    if waiting.get("ahead"):
        ahead = waiting["ahead"]
        parts.append(f"{count(ahead, 'run')} {'goes' if ahead == 1 else 'go'} first")
    for reason in waiting["reasons"]:
        if reason["code"] == "behind" and parts:
            continue
        until = f" until {local_time(reason['until'])}" if "until" in reason else ""
        named = reason["code"] in _NAMED and "resource" in reason
        what = f" ({reason['resource']})" if named else ""
        parts.append(_REASONS.get(reason["code"], reason["code"]) + what + until)
    return "; ".join(parts)


def held_back(waiting: Mapping[str, Any]) -> list[str]:
    """Why a run waits until somebody acts, and what to do; empty when it only has to wait."""
    codes = [reason["code"] for reason in waiting["reasons"]]
    return [
        f"It waits: {_REASONS[code]} ({_WAYS_OUT[code]})" for code in codes if code in _WAYS_OUT
    ]


def waits_for_runs(waiting: Mapping[str, Any]) -> list[str]:
    """The cids of the runs that hold what a `Waiting` of the contract waits for."""
    cids = [cid for reason in waiting["reasons"] for cid in reason.get("blocking_cids", ())]
    return list(dict.fromkeys(cids))
