"""Ends of runs that somebody waits for, or is to be told: kept in the transaction that ends them.

May import `sql`, `rows`, the standard library and model only.
"""

from collections.abc import Sequence

from aura_aio.model.event import EventFilter
from aura_aio.model.run import RunChanged
from aura_aio.model.states import TERMINAL
from aura_aio.store.relational import sql
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.rows import json_text


def keep_ends(
    connection: Connection, facts: Sequence[RunChanged], filters: Sequence[EventFilter]
) -> None:
    """Keep those of `facts` that are ends which pass one of `filters`, in their order.

    Whatever ends a run reports it as a fact, so none can be forgotten here.
    """
    if not filters:
        return
    ends = [fact for fact in facts if fact.target in TERMINAL]
    rows = connection.execute(sql.ENDED, (json_text([fact.cid for fact in ends]),))
    runs = {row[0]: row[1:] for row in rows}
    kept = []
    for fact in ends:
        plan_name, task_name, depth = runs[fact.cid]
        names = {"plan_name": plan_name, "task_name": task_name, "cid": fact.cid}
        if any(each.matches(**names, status=fact.target) for each in filters):
            kept.append((fact.cid, plan_name, task_name, fact.target.value, fact.at, depth))
    connection.executemany(sql.KEEP_EVENT, kept)


def keep_callbacks(connection: Connection, facts: Sequence[RunChanged], due_at: float) -> None:
    """Keep that the runs among `facts` which have ended are to be called back, from `due_at` on."""
    rows = [(fact.cid, due_at) for fact in facts if fact.ended and fact.ended.calls_back]
    if rows:
        connection.executemany(sql.KEEP_CALLBACK, rows)
