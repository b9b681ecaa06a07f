"""Children: queued once for each call of their parent, and cancelled with it.

May import store.writer, the rest of `store.relational`, the standard library and model only.
"""

from collections.abc import Sequence
from typing import Final

from aura_aio.model.clock import Clock
from aura_aio.model.errors import ParentEnded
from aura_aio.model.plan import Definition
from aura_aio.model.run import CancelRequest, OnCrash, Run, RunChanged, Tasklet
from aura_aio.model.states import CANCELLABLE, HOLDS_A_SLOT, RunState
from aura_aio.store.relational import sql
from aura_aio.store.relational.accept import Acceptance
from aura_aio.store.relational.changes import Cancels, Held, hold
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.reader import Reader
from aura_aio.store.relational.rows import cancel_from, json_text, run_from
from aura_aio.store.relational.transaction import Transaction
from aura_aio.store.writer import Writer

_KEEP_CHILDREN: Final = frozenset({RunState.RUNNING, RunState.SUCCEEDED})


class SqlChildren:
    """Implements `model.children.ChildStore`."""

    def __init__(
        self,
        writer: Writer[Transaction],
        look_ups: Reader,
        acceptance: Acceptance,
        clock: Clock,
    ) -> None:
        self._writer = writer
        self._look_ups = look_ups
        self._clock = clock
        self._acceptance = acceptance

    async def enqueue_child(self, tasklet: Tasklet, definition: Definition, *, attempt: int) -> str:
        """Queue a child, or find it; raises ParentEnded, QueueFull."""

        def operation(tx: Transaction) -> str:
            parent_cid = tasklet.parent_cid or ""
            parent = hold(tx, (parent_cid,)).get(parent_cid)
            if parent is None or (parent.state, parent.attempt) != (RunState.RUNNING, attempt):
                raise ParentEnded(f"Run {parent_cid} is not running any more: it gets no children.")
            row = tx.connection.execute(sql.FIND_CHILD, (parent_cid, tasklet.origin)).fetchone()
            if row is not None:
                return str(row[0])
            now = self._clock.now()
            (cid,) = self._acceptance.accept(tx, (tasklet,), (definition,), None, now).cids
            return cid

        return await self._writer.submit(operation)

    async def family(self, cid: str) -> tuple[Run, ...]:
        """The run and those above it, the nearest first."""

        def query(connection: Connection) -> tuple[Run, ...]:
            family: list[Run] = []
            above: str | None = cid
            while above is not None:
                row = connection.execute(sql.GET_BARE, (above,)).fetchone()
                if row is None:  # it was forgotten before its child
                    break
                family.append(run_from(row))
                above = family[-1].parent_cid
            return tuple(family)

        return await self._look_ups.ask(query)


def cancel_with_parents(tx: Transaction) -> None:
    """Cancel the children under way of every run that `tx` begins to cancel, ends without success,
    or sends back to start from nothing; and theirs in turn.

    To be called once all else in `tx` is done: it goes by the facts, so no way of ending can be
    forgotten.
    """
    done = 0
    while done < len(tx.facts):  # also over those that are added meanwhile
        facts = [fact for fact in tx.facts[done:] if _may_give_up_children(fact)]
        done = len(tx.facts)
        if facts:
            _cancel_children(tx, facts)


def _may_give_up_children(fact: RunChanged) -> bool:
    if fact.target is RunState.QUEUED:
        return fact.source in HOLDS_A_SLOT
    return fact.target not in _KEEP_CHILDREN


def _cancel_children(tx: Transaction, facts: Sequence[RunChanged]) -> None:
    """Cancel the children under way of the runs of these facts, one generation."""
    rows = tx.connection.execute(
        sql.CHILDREN_UNDER_WAY, (json_text([fact.cid for fact in facts]),)
    ).fetchall()
    if not rows:
        return
    children: dict[str, list[str]] = {}
    for parent_cid, cid in rows:
        children.setdefault(parent_cid, []).append(cid)
    held = hold(tx, {cid for row in rows for cid in row})
    cancels = Cancels()
    for fact in facts:
        for cid in children.get(fact.cid, ()):
            child, parent = held[cid], held[fact.cid]
            goes_on = fact.target is RunState.QUEUED and parent.on_crash is not OnCrash.RESTART
            if child.state in CANCELLABLE and not goes_on:
                held[cid] = cancels.cancel(tx, child, _request(parent, fact), fact.at)
    cancels.write(tx)


def _request(parent: Held, fact: RunChanged) -> CancelRequest:
    """Why the children of the run are cancelled: as it was asked of the run, if it was."""
    asked = cancel_from(parent.cancel) or CancelRequest(requested_at=fact.at)
    how = {
        RunState.QUEUED: "starts again from nothing",
        RunState.CANCELLING: "is being cancelled",
    }.get(fact.target, f"has ended as {fact.target}")
    return CancelRequest(
        requested_at=asked.requested_at,
        mode=asked.mode,
        grace_sec=asked.grace_sec,
        reason=f"Its parent {fact.cid} {how}.",
        requested_by=asked.requested_by,
    )
