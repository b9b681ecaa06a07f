"""Which runs may start next, while nobody takes any: what is offered to all hosts.

May import store.writer, the rest of `store.relational`, the standard library and model only.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from aura_aio.model.clock import Clock
from aura_aio.model.fleet import PlanDigests
from aura_aio.model.job_queue import Offer, queue_of
from aura_aio.model.lanes import Head, Lane, startable
from aura_aio.model.run import Run, RunChanged
from aura_aio.store.relational import sql
from aura_aio.store.relational.claims import join_due, plans_of_hosts
from aura_aio.store.relational.connection import Connection
from aura_aio.store.relational.lanes import Lanes
from aura_aio.store.relational.rows import json_text, run_from
from aura_aio.store.relational.session import SqlSession
from aura_aio.store.relational.transaction import ALL_PLANS, Transaction
from aura_aio.store.writer import Writer

Put = Callable[[Connection, Sequence[Offer]], None]
"""Sees to it, on the connection of the transaction, that these are what is offered."""


class SqlOffers:
    """Implements `model.job_queue.OfferStore`: what is offered is `put` where hosts look for it."""

    def __init__(
        self, writer: Writer[Transaction], session: SqlSession, put: Put, clock: Clock
    ) -> None:
        self._writer = writer
        self._session = session
        self._put = put
        self._clock = clock

    @property
    def some_wait(self) -> bool:
        """Whether runs are in the queue, as of the latest commit of this host."""
        return self._session.queued > 0

    async def offer(self, most: int) -> Sequence[RunChanged]:
        """Offer the next runs of the queue."""
        while (seen := await self._writer.submit(lambda tx: self._offer(tx, most))) is None:
            pass
        return seen

    def _offer(self, tx: Transaction, most: int) -> Sequence[RunChanged] | None:
        """None if more delayed runs are due than could join at once."""
        if not join_due(tx, self._clock.now()):
            return None
        hosts = plans_of_hosts(tx)
        runs = upcoming(tx, hosts, most)
        self._put(tx.connection, [_offer(run, hosts) for run in runs])
        return tuple(tx.facts)


def _offer(run: Run, hosts: Sequence[PlanDigests]) -> Offer:
    queue = queue_of(run.plan_name, run.plan_digest, hosts)
    return Offer(run.cid, run.attempt, queue, run.priority)


def upcoming(tx: Transaction, hosts: Sequence[PlanDigests], most: int) -> Sequence[Run]:
    """The runs that would be claimed next, in order, if `hosts` (each by the plans that it has) had
    room for all: `most` of each lane, and of all together where all have the same plans.
    """
    if ALL_PLANS in tx.pauses or tx.queued == tx.delayed:
        return ()
    plans = {name for each in hosts for name in each}
    closed = tx.pauses.keys() | (tx.plans_queued() - plans)
    by_plan = len(hosts) > 1
    if not closed and not by_plan:
        rows = tx.connection.execute(sql.FIRST_READY, (most,)).fetchall()
        runs = [run_from(row) for row in rows]
        if not any(run.limits for run in runs):
            return runs
    lanes = _LanesAhead(Lanes(tx.connection, closed, by_plan=by_plan), most)
    heads = lanes.startable()
    cids = [head.cid for head in (heads if by_plan else islice(heads, most))]
    rows = tx.connection.execute(sql.GET_SEVERAL, (json_text(cids),)).fetchall()
    found = {run.cid: run for run in map(run_from, rows)}
    return [found[cid] for cid in cids]


class _LanesAhead:
    """Lanes of which nothing is taken: who is next is looked up behind those that were there."""

    def __init__(self, lanes: Lanes, most: int) -> None:
        self._lanes = lanes
        self._most = most
        self._passed: Counter[Lane] = Counter()

    def startable(self) -> Iterator[Head]:
        """The runs that may start, in dispatch order, `most` of each lane."""
        holders = ((holder.cid, holder.limits) for holder in self._lanes.holders())
        return startable(self._lanes.heads(), holders, self._next_of)

    def _next_of(self, lane: Lane) -> Head | None:
        self._passed[lane] += 1
        passed = self._passed[lane]
        return self._lanes.head_of(lane, passed) if passed < self._most else None
