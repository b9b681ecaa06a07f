"""The jobs of Procrastinate that carry offers of runs: written in the transactions of our writer.

May import store.relational, `connection`, `job_statements`, psycopg, procrastinate, the standard
library and model only.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

import psycopg
from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job as ProcrastinateJob
from procrastinate.manager import get_channel_for_queues

from aura_aio.model.job_queue import Offer, Waiting, arrange
from aura_aio.store.postgres import job_statements
from aura_aio.store.postgres.connection import PostgresConnection
from aura_aio.store.relational.connection import Connection

TASK: Final = "aura.run"

_TELL: Final = "SELECT pg_notify(%s, %s)"


class Offered:
    """What is offered, changed in the transactions of our own writer."""

    def __init__(self) -> None:
        self._jobs = App(connector=SyncPsycopgConnector()).job_manager
        self._known: tuple[PostgresConnection, psycopg.Connection[Any]] | None = None

    def put(self, connection: Connection, offers: Sequence[Offer]) -> None:
        """See to it that there is a job for each of `offers`, in their order, and no other that
        waits; those that hosts have taken stay as they are.
        """
        assert isinstance(connection, PostgresConnection)  # noqa: S101 - no other has such tables
        here = self._on(connection)
        waiting, taken = [], set()
        for id_, cid, attempt, queue, order, waits in here.execute(job_statements.PRESENT):
            if waits:
                waiting.append(Waiting(id_, cid, attempt, queue, order))
            else:
                taken.add((cid, attempt))
        withdrawn, reordered, added = arrange(offers, waiting, taken)
        with _said_plainly():
            for id_ in withdrawn:
                self._jobs.cancel_job_by_id(id_, delete_job=True, connection=here)
            _reorder(here, reordered)
            if added:
                jobs = [_job(offer, order) for offer, order in added]
                self._jobs.batch_defer_jobs(jobs, connection=here)
        connection.total_changes += len(withdrawn) + len(reordered) + len(added)

    def _on(self, connection: PostgresConnection) -> psycopg.Connection[Any]:
        """The same connection, as Procrastinate wants it: with cursors, and types of values, that
        are psycopg's own.
        """
        if self._known is None or self._known[0] is not connection:
            here: psycopg.Connection[Any] = psycopg.Connection(connection.raw.pgconn)
            here.prepare_threshold = None
            self._known = connection, here
        return self._known[1]


def _reorder(here: psycopg.Connection[Any], orders: Mapping[int, int]) -> None:
    """Give these jobs their new orders. Nobody gets a job meanwhile, and Procrastinate tells of new
    ones only: so who has asked in vain is told as it would tell of one.
    """
    for id_, order in orders.items():
        here.execute(job_statements.REORDER, (order, id_))
    for id_ in islice(orders, 1):
        told = json.dumps({"type": "job_inserted", "job_id": id_})
        for channel in get_channel_for_queues(None):
            here.execute(_TELL, (channel, told))


@contextmanager
def _said_plainly() -> Iterator[None]:
    """What Procrastinate has wrapped is raised as it was: our writer knows what it means."""
    try:
        yield
    except ConnectorException as error:
        raise error.__cause__ or error from None


def _job(offer: Offer, order: int) -> ProcrastinateJob:
    return ProcrastinateJob(
        queue=offer.queue,
        priority=order,
        lock=None,
        queueing_lock=f"{offer.cid}/{offer.attempt}",
        task_name=TASK,
        task_kwargs={"cid": offer.cid, "attempt": offer.attempt},
    )
