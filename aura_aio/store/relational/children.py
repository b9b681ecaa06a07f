"""Children: queued once for each call of their parent, and cancelled with it.

May import store.writer, the rest of `store.relational`, the standard library and model only.
"""

from typing import Final

from aura_aio.model.clock import Clock
from aura_aio.model.errors import ParentEnded
from aura_aio.model.plan import Definition
from aura_aio.model.run import CancelRequest, OnCrash, Run, RunChanged, Tasklet
from aura_aio.model.states import HOLDS_A_SLOT, TERMINAL, RunState
from aura_aio.store.relational import sql
from aura_aio.store.relational.accept import Acceptance
from aura_aio.store.relational.changes import cancel, hold, hold_one
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.reader import Reader
from aura_aio.store.relational.rows import cancel_from, run_from
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
    for fact in tx.facts:  # also over those that are added meanwhile
        if fact.target in _KEEP_CHILDREN or not _gives_up_children(tx, fact):
            continue
        children = tx.connection.execute(sql.CHILDREN_UNDER_WAY, (fact.cid,)).fetchall()
        if children:
            request = _request(tx, fact)
            for (cid,) in children:
                cancel(tx, cid, request, fact.at)


def _gives_up_children(tx: Transaction, fact: RunChanged) -> bool:
    if fact.source in HOLDS_A_SLOT and fact.target is RunState.QUEUED:
        return hold_one(tx, fact.cid).on_crash is OnCrash.RESTART
    if fact.target is RunState.CANCELLING:
        return True
    return fact.target in TERMINAL


def _request(tx: Transaction, fact: RunChanged) -> CancelRequest:
    """Why the children of the run are cancelled: as it was asked of the run, if it was."""
    asked = cancel_from(hold_one(tx, fact.cid).cancel) or CancelRequest(requested_at=fact.at)
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
