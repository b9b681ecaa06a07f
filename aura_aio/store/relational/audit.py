"""The audit trail: `model.audit.AuditStore` in tables, and its rows.

May import store.writer, the rest of `store.relational`, the standard library and model only.
"""

from typing import Any, Final, NamedTuple

from aura_aio.model.audit import AuditEvent, AuditFilter, AuditOutcome, Note
from aura_aio.model.cursors import decode_cursor, encode_cursor
from aura_aio.model.ports import Page
from aura_aio.store.relational import sql
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.reader import Reader
from aura_aio.store.relational.transaction import Transaction
from aura_aio.store.writer import Writer

KIND: Final = "audit"


class Statement(NamedTuple):
    """SQL and the values for its names."""

    sql: str
    values: dict[str, Any]


class SqlAudit:
    """Implements `model.audit.AuditStore`."""

    def __init__(self, writer: Writer[Transaction], lists: Reader) -> None:
        self._writer = writer
        self._lists = lists

    async def append(self, note: Note, outcome: AuditOutcome, reason: str | None = None) -> None:
        """Keep an event of what has changed nothing in the store."""
        note.written = True  # this is its event, and needs no other
        await self._writer.submit(lambda tx: tx.note(note, outcome=outcome, reason=reason))

    async def list_events(
        self, where: AuditFilter, *, limit: int, cursor: str | None
    ) -> Page[AuditEvent]:
        """Events, the newest first; raises BadCursor."""
        before = None if cursor is None else decode_cursor(KIND, int, cursor)
        statement = audit_statement(where, number=before, most=limit + 1)

        def query(connection: Connection) -> Page[AuditEvent]:
            events = tuple(_event_from(row) for row in connection.execute(*statement))
            if len(events) <= limit:
                return Page(events)
            return Page(events[:limit], encode_cursor(KIND, events[limit - 1].number))

        return await self._lists.ask(query)


def audit_statement(where: AuditFilter, *, number: int | None, most: int) -> Statement:
    """The query for the newest `most` events before `number`.

    With a run it goes by the indexes that lead to the few events of it; else it walks back in time.
    The other conditions are checked row by row.
    """
    given = {
        "number < :number": number,
        sql.OF_RUN: where.cid,
        "operation = :operation": where.operation,
        "outcome = :outcome": None if where.outcome is None else where.outcome.value,
        "by_name = :by_name": where.by_name,
        "plan_name = :plan_name": where.plan_name,
        "at >= :after": where.after,
        "at < :before": where.before,
    }
    conditions = " AND ".join(text for text, value in given.items() if value is not None) or "TRUE"
    values = {
        "number": number, "cid": where.cid, "operation": where.operation, "outcome": where.outcome,
        "by_name": where.by_name, "plan_name": where.plan_name, "after": where.after,
        "before": where.before, "most": most,
    }  # fmt: skip
    return Statement(
        f"SELECT {sql.AUDIT_EVENT} FROM audit WHERE {conditions} ORDER BY number DESC LIMIT :most",  # noqa: S608 - constants
        values,
    )


def _event_from(row: tuple[Any, ...]) -> AuditEvent:
    return AuditEvent(
        number=row[0],
        at=row[1],
        operation=row[2],
        outcome=AuditOutcome(row[3]),
        reason=row[4],
        by_token=row[5],
        by_name=row[6],
        remote=row[7],
        request_id=row[8],
        cid=row[9],
        run_count=row[10],
        plan_name=row[11],
        task_name=row[12],
        schedule_id=row[13],
        token_id=row[14],
    )
