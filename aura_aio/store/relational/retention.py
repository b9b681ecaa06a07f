"""Forgetting: `model.retention.RetentionStore` in tables.

May import store.writer, the rest of `store.relational`, the standard library and model only.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from aura_aio.model.ids import first_cid_at
from aura_aio.model.states import TERMINAL, RunState
from aura_aio.store.relational.rows import json_text
from aura_aio.store.relational.transaction import Transaction
from aura_aio.store.writer import Writer

_ROOTS: Final = """
    SELECT cid FROM runs WHERE state = ? AND cid < ? AND finished_at < ? AND (
        parent_cid IS NULL OR NOT EXISTS (SELECT 1 FROM runs AS p WHERE p.cid = runs.parent_cid)
    ) ORDER BY cid LIMIT ?
"""
"""The index by state and cid leads to those that were made before; few of them have not ended."""

_FAMILIES: Final = """
    WITH RECURSIVE family (root, cid) AS (
        SELECT cid, cid FROM runs WHERE cid IN (SELECT value FROM json_each(?))
        UNION SELECT root, runs.cid FROM family JOIN runs ON runs.parent_cid = family.cid
    )
    SELECT root, cid, state, finished_at,
        EXISTS (SELECT 1 FROM callbacks WHERE callbacks.cid = runs.cid AND due_at IS NOT NULL)
        OR EXISTS (SELECT 1 FROM events WHERE events.cid = runs.cid)
    FROM family JOIN runs USING (cid)
"""

_ENDED: Final = f"""
    SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM state_counts
    WHERE state IN ({", ".join(f"'{state.value}'" for state in sorted(TERMINAL))})
"""  # noqa: S608 - constants

_FORGET_RUN: Final = (
    "DELETE FROM steps WHERE cid = ?",
    "DELETE FROM callbacks WHERE cid = ?",
    "DELETE FROM callback_tries WHERE cid = ?",
    "DELETE FROM audited_runs WHERE cid = ?",
    "DELETE FROM runs WHERE cid = ?",
)

_OLDEST_ENTRIES: Final = "SELECT seq, timestamp FROM logs ORDER BY seq LIMIT ?"
_FORGET_ENTRIES: Final = "DELETE FROM logs WHERE seq <= ?"

_FORGET_EVENTS: Final = """
    DELETE FROM audit WHERE number IN (
        SELECT number FROM audit
        WHERE at < :before
        AND number < COALESCE(
            (SELECT number FROM audit WHERE at >= :before ORDER BY number LIMIT 1),
            9223372036854775807
        )
        AND (cid IS NULL OR NOT EXISTS (SELECT 1 FROM runs WHERE runs.cid = audit.cid))
        AND NOT EXISTS (SELECT 1 FROM audited_runs WHERE audited_runs.number = audit.number)
        ORDER BY number LIMIT :limit
    )
"""

_ROOTS_AT_ONCE: Final = 25
"""Of whose families as many as are wanted may be of the first few."""
_ANY_TIME: Final = 1e18
_ANY_CID: Final = "~"
"""Behind every cid."""


class _Member(NamedTuple):
    """A run of a family; somebody is still to be told of its end if it `is_awaited`."""

    cid: str
    state: RunState
    finished_at: float
    is_awaited: bool


class SqlRetention:
    """Implements `model.retention.RetentionStore`."""

    def __init__(self, writer: Writer[Transaction]) -> None:
        self._writer = writer

    async def forget_runs(self, *, ended_before: float | None, most: int | None, limit: int) -> int:
        """Forget the oldest ended runs."""

        def forget(tx: Transaction) -> int:
            count = 0
            if ended_before is not None:
                count = _forget_families(tx, ended_before, limit)
            if most is not None and count < limit:
                (ended,) = tx.connection.execute(_ENDED).fetchone()
                excess = min(ended - count - most, limit - count)
                count += _forget_families(tx, _ANY_TIME, excess) if excess > 0 else 0
            return count

        return await self._writer.submit(forget)

    async def forget_entries(self, *, before: float | None, most: int | None, limit: int) -> int:
        """Forget the oldest log entries."""

        def forget(tx: Transaction) -> int:
            oldest = tx.connection.execute(_OLDEST_ENTRIES, (limit,)).fetchall()
            last_too_many = tx.newest_seq - most if most is not None else 0
            old = [
                seq
                for seq, timestamp in oldest
                if seq <= last_too_many or (before is not None and timestamp < before)
            ]
            if not old:
                return 0
            return tx.connection.execute(_FORGET_ENTRIES, (max(old),)).rowcount

        return await self._writer.submit(forget)

    async def forget_audit_events(self, *, before: float, limit: int) -> int:
        """Forget the oldest events of the audit trail."""
        values = {"before": before, "limit": limit}
        return await self._writer.submit(
            lambda tx: tx.connection.execute(_FORGET_EVENTS, values).rowcount
        )


def _forget_families(tx: Transaction, ended_before: float, limit: int) -> int:
    """Forget about `limit` runs that ended before; answers how many it were."""
    latest = first_cid_at(ended_before) if ended_before < _ANY_TIME else _ANY_CID
    roots = [
        cid
        for state in TERMINAL
        for (cid,) in tx.connection.execute(_ROOTS, (state, latest, ended_before, limit))
    ]
    roots.sort()
    forgotten: list[tuple[str, RunState]] = []
    for first in range(0, len(roots), _ROOTS_AT_ONCE):
        for family in _families(tx, roots[first : first + _ROOTS_AT_ONCE]):
            if len(forgotten) < limit and all(
                run.state in TERMINAL and run.finished_at < ended_before and not run.is_awaited
                for run in family
            ):
                forgotten += [(run.cid, run.state) for run in family]
        if len(forgotten) >= limit:
            break
    _forget(tx, forgotten)
    return len(forgotten)


def _families(tx: Transaction, roots: Sequence[str]) -> Iterable[Sequence[_Member]]:
    """Each of these runs with all below it, in their order."""
    families: dict[str, list[_Member]] = {root: [] for root in roots}
    for root, cid, state, *rest in tx.connection.execute(_FAMILIES, (json_text(roots),)):
        families[root].append(_Member(cid, RunState(state), *rest))
    return families.values()


def _forget(tx: Transaction, runs: Sequence[tuple[str, RunState]]) -> None:
    if runs:
        for statement in _FORGET_RUN:
            tx.connection.executemany(statement, [(cid,) for cid, _ in runs])
    for _, state in runs:
        tx.forget(state)
