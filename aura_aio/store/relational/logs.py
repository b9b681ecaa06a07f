"""The log: `model.ports.LogStore` in tables.

May import store.writer, the rest of `store.relational`, the standard library and model only.
"""

from collections.abc import Sequence
from typing import Any

from aura_aio.model.log import LogEntry, LogFilter, LogLevel, LogLine
from aura_aio.store.relational import sql
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.entries import INSERT_ENTRIES, common_of, own_of
from aura_aio.store.relational.reader import Reader
from aura_aio.store.relational.rows import entry_from, json_text
from aura_aio.store.relational.transaction import Transaction
from aura_aio.store.writer import Writer


class SqlLogs:
    """Implements `model.ports.LogStore`."""

    def __init__(self, writer: Writer[Transaction], look_ups: Reader, entries: Reader) -> None:
        self._writer = writer
        self._look_ups = look_ups
        self._entries = entries

    async def append(self, lines: Sequence[LogLine]) -> tuple[LogEntry, ...]:
        """Number and keep `lines`, all in one transaction."""
        if not lines:
            return ()
        return await self._writer.submit(lambda tx: _append(tx, lines))

    async def read(
        self, where: LogFilter, *, after: int, up_to: int | None, limit: int
    ) -> tuple[LogEntry, ...]:
        """Entries with `after` < seq (≤ `up_to`), in order, at the most `limit`."""
        sql, values = entries_statement(where, after=after, up_to=up_to, limit=limit)

        def query(connection: Connection) -> tuple[LogEntry, ...]:
            return tuple(map(entry_from, connection.execute(sql, values)))

        return await self._entries.ask(query)

    async def bounds(self) -> tuple[int, int]:
        """(the oldest seq that is kept, the newest seq that was given)."""

        def query(connection: Connection) -> tuple[int, int]:
            (oldest,) = connection.execute(sql.OLDEST_SEQ).fetchone()
            (newest,) = connection.execute(sql.NEWEST_SEQ).fetchone()
            return (newest + 1 if oldest is None else oldest), newest

        return await self._look_ups.ask(query)


def entries_statement(
    where: LogFilter, *, after: int, up_to: int | None, limit: int
) -> tuple[str, dict[str, Any]]:
    """The query of `read`, and its values."""
    given = {
        "seq > :after": after,
        "seq <= :up_to": up_to,
        "cid = :cid": where.cid,
        "plan_name = :plan_name": where.plan_name,
        "task_name = :task_name": where.task_name,
        "step = :step": where.step,
        "level >= :level": where.level.number if where.level is not LogLevel.DEBUG else None,
    }
    conditions = [text for text, value in given.items() if value is not None]
    values = {text.rpartition(":")[2]: value for text, value in given.items()} | {"limit": limit}
    if where.plans is not None:
        conditions.append("plan_name IN (SELECT value FROM json_each(:plans))")
        values["plans"] = json_text(sorted(where.plans))
    return (
        f"SELECT {sql.ENTRY} FROM logs WHERE {' AND '.join(conditions)} ORDER BY seq LIMIT :limit",  # noqa: S608 - constants
        values,
    )


def _append(tx: Transaction, lines: Sequence[LogLine]) -> tuple[LogEntry, ...]:
    """The numbers go on from the newest that was ever given, whatever has been pruned."""
    entries = tuple(LogEntry(seq, line) for seq, line in enumerate(lines, tx.newest_seq + 1))
    common, own = list(map(common_of, lines)), list(map(own_of, lines))
    tx.connection.insert_alike(INSERT_ENTRIES, tx.newest_seq + 1, common, own)
    tx.newest_seq += len(entries)
    return entries
