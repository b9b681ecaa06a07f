"""How long what has happened is kept, and the port through which it is forgotten.

May import the standard library and msgspec only.
"""

from typing import Protocol

import msgspec


class Keep(msgspec.Struct, frozen=True):
    """What is kept: by age in seconds, and how many; None: whatever there is."""

    runs_sec: float | None = None
    runs: int | None = None
    entries_sec: float | None = None
    entries: int | None = None
    audit_sec: float | None = None


class RetentionStore(Protocol):
    """Forgets a little at a time. Each call answers how much it has forgotten: while that is not
    nothing, there may be more.
    """

    async def forget_runs(self, *, ended_before: float | None, most: int | None, limit: int) -> int:
        """Forget the oldest runs that ended before (seconds since the epoch), or are more than
        `most`: about `limit` of them, with their steps and callbacks.

        A run goes together with all that it has started, and only if none of these is active, and
        no callback and no event of theirs is still to be told.
        """
        ...

    async def forget_entries(self, *, before: float | None, most: int | None, limit: int) -> int:
        """Forget the oldest `limit` log entries, if they are from before, or more than `most`.

        Only from the oldest on: what is kept has no gap.
        """
        ...

    async def forget_audit_events(self, *, before: float, limit: int) -> int:
        """Forget the oldest `limit` events of the audit trail from before, but those of runs that
        are kept.
        """
        ...
