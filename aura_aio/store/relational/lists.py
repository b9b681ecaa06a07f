"""The list of runs: filters, order, cursor.

May import the rest of `store.relational`, the standard library, msgspec and model only.
"""

from typing import Any, Final, NamedTuple

import msgspec

from aura_aio.model.cursors import decode_cursor, encode_cursor
from aura_aio.model.ports import Page, RunFilter
from aura_aio.model.run import Run
from aura_aio.model.states import RunState
from aura_aio.store.relational import sql
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.rows import run_from

KIND: Final = "runs"

_CONTAINS_Q: Final = """(
    instr(lower(cid), lower(:q)) OR instr(lower(plan_name), lower(:q))
    OR instr(lower(task_name), lower(:q))
    OR EXISTS (SELECT 1 FROM json_each(labels) WHERE instr(lower(value), lower(:q)))
)"""


class Statement(NamedTuple):
    """SQL and the values for its names."""

    sql: str
    values: dict[str, Any]


def list_runs(
    connection: Connection,
    where: RunFilter,
    *,
    limit: int,
    cursor: str | None,
    include: frozenset[str],
) -> Page[Run]:
    """See `RunStore.list_runs`. The cursor is the cid of the last run that was given."""
    before = None if cursor is None else decode_cursor(KIND, str, cursor)
    if not _sources(where):
        return Page(())
    statement = list_statement(where, before=before, most=limit + 1, include=include)
    runs = tuple(map(run_from, connection.execute(*statement)))
    if len(runs) <= limit:
        return Page(runs)
    return Page(runs[:limit], encode_cursor(KIND, runs[limit - 1].cid))


def list_statement(
    where: RunFilter, *, before: str | None, most: int, include: frozenset[str]
) -> Statement:
    """The query for the newest `most` runs older than `before`.

    With a state, a plan, a parent or a run that is done over it merges one walk per state, each
    along an index that gives the order, so that the first page costs the same however many other
    runs there are. The other conditions are checked row by row.
    """
    conditions, values = _conditions(where)
    values["most"] = most
    values |= {f"plan{number}": plan for number, plan in enumerate(_plans(where) or ())}
    if before is not None:
        conditions.append("cid < :before")
        values["before"] = before
    walks = []
    for source, condition in _sources(where):
        every = " AND ".join([*condition, *conditions]) or "TRUE"
        walks.append(f"SELECT {sql.columns_of_run(include)} FROM {source} WHERE {every}")  # noqa: S608 - constants
    return Statement(f"{' UNION ALL '.join(walks)} ORDER BY cid DESC LIMIT :most", values)


def _sources(where: RunFilter) -> list[tuple[str, list[str]]]:
    """Where to walk, each with the conditions that its index answers."""
    states = tuple(dict.fromkeys(where.statuses))
    plans = _plans(where)
    names = ", ".join(f":plan{number}" for number in range(len(plans or ())))
    of_plans = [] if plans is None else [f"plan_name IN ({names})"]
    if where.retry_of is not None:
        of_parent = [] if where.parent_cid is None else ["parent_cid = :parent_cid"]
        conditions = ["retry_of = :retry_of", *of_parent, *of_plans]
        walks = [("runs INDEXED BY runs_by_retry", conditions)]
    elif where.parent_cid is not None:
        walks = [("runs INDEXED BY runs_by_parent", ["parent_cid = :parent_cid", *of_plans])]
    elif plans is not None:
        walks = [
            ("runs INDEXED BY runs_by_plan", [f"plan_name = :plan{number}"])
            for number in range(len(plans))
        ]
    elif states:
        walks = [("runs INDEXED BY runs_by_state", [])]
    else:
        return [("runs", [])]
    return [
        (source, [*conditions, f"state = '{state.value}'"])
        for source, conditions in walks
        for state in states or RunState
    ]


def _plans(where: RunFilter) -> tuple[str, ...] | None:
    """The plans whose runs may pass, or None for those of every plan."""
    if where.plan_name is None:
        return None if where.plans is None else tuple(sorted(where.plans))
    hidden = where.plans is not None and where.plan_name not in where.plans
    return () if hidden else (where.plan_name,)


def _conditions(where: RunFilter) -> tuple[list[str], dict[str, Any]]:
    """What is checked row by row, and the values of all conditions."""
    simple = {
        "task_name = :task_name": where.task_name,
        "created_at >= :created_after": where.created_after,
        "created_at < :created_before": where.created_before,
        "finished_at >= :finished_after": where.finished_after,
        "finished_at < :finished_before": where.finished_before,
        _CONTAINS_Q: where.q,
    }
    conditions = [text for text, value in simple.items() if value is not None]
    values = msgspec.structs.asdict(where)  # names that do not occur are not bound
    for number, (key, value) in enumerate(where.labels):
        conditions.append(
            "EXISTS (SELECT 1 FROM json_each(labels) "  # noqa: S608 - numbered names
            f"WHERE key = :key{number} AND value = :value{number})"
        )
        values |= {f"key{number}": key, f"value{number}": value}
    return conditions, values
