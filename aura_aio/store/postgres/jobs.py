"""The jobs of Procrastinate that carry offers of runs: its tables, beside ours, and their writer.

Nobody else knows its tables. May import store.relational, `connection`, psycopg, procrastinate, the
standard library and model only.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from procrastinate import App, SyncPsycopgConnector
from procrastinate.jobs import Job as ProcrastinateJob
from procrastinate.schema import SchemaManager
from procrastinate.sql import queries

from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.job_queue import Offer, Waiting, arrange
from aura_aio.store.postgres.connection import JOBS_SCHEMA, PostgresConnection, parameters
from aura_aio.store.relational.connection import Connection

TASK: Final = "aura.run"

_LOCK: Final = 0x41_75_72_61_4A
"""Of the advisory locks: who makes the tables."""
_FUNCTION: Final = re.compile(r"\bprocrastinate_\w+_v\d+(?=\()")
_FUNCTIONS: Final = """
    SELECT proname FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE nspname = %s
"""
_PRESENT: Final = """
    SELECT id, args ->> 'cid', CAST(args ->> 'attempt' AS INTEGER), queue_name, priority,
        status = 'todo'
    FROM procrastinate_jobs WHERE status IN ('todo', 'doing')
"""
"""Its own list of jobs takes one status, and a transaction of its own."""
_REORDER: Final = """
    UPDATE procrastinate_jobs SET priority = %s WHERE id = %s AND status = 'todo'
"""
"""There is no other way to change the priority of a job that waits (Procrastinate 3.10)."""


def prepare(url: DatabaseUrl) -> None:
    """Make the tables if there are none. Blocks: call it in a thread.

    Raises:
        StoreUnavailable: the database cannot be reached or used; or the tables are those of a
            version of Procrastinate that does not fit the installed one.
    """
    try:
        with psycopg.connect(**parameters(url)) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {JOBS_SCHEMA}")
            connection.execute(f"SET LOCAL search_path TO {JOBS_SCHEMA}")
            found = {name for (name,) in connection.execute(_FUNCTIONS, (JOBS_SCHEMA,))}
            if not found:
                connection.execute(SchemaManager.get_schema().encode())
                return
    except psycopg.Error as error:
        said = url.without_secrets(str(error)).strip()
        raise StoreUnavailable(f"Procrastinate's tables cannot be had: {said}") from error
    needed = {name for query in queries.values() for name in _FUNCTION.findall(query)}
    if missing := needed - found:
        raise StoreUnavailable(
            f"The schema {JOBS_SCHEMA!r} in {url} is of another version of Procrastinate (it lacks "
            f"{', '.join(sorted(missing))}). It holds nothing but offers, which are made anew: "
            f"stop all hosts, then DROP SCHEMA {JOBS_SCHEMA} CASCADE."
        )


class Offered:
    """What is offered, changed in the transactions of our own writer."""

    def __init__(self) -> None:
        self._jobs = App(connector=SyncPsycopgConnector()).job_manager
        self._is_empty = False
        """Whether this host has seen to it that there is none, and offered nothing since."""
        self._known: tuple[PostgresConnection, psycopg.Connection[Any]] | None = None

    def put(self, connection: Connection, offers: Sequence[Offer]) -> None:
        """See to it that there is a job for each of `offers`, in their order, and no other that
        waits; those that hosts have taken stay as they are.
        """
        if not offers and self._is_empty:
            return
        self._is_empty = not offers
        assert isinstance(connection, PostgresConnection)  # noqa: S101 - no other has such tables
        here = self._on(connection)
        waiting, taken = [], set()
        for id_, cid, attempt, queue, order, waits in here.execute(_PRESENT):
            if waits:
                waiting.append(Waiting(id_, cid, attempt, queue, order))
            else:
                taken.add((cid, attempt))
        withdrawn, reordered, added = arrange(offers, waiting, taken)
        for id_ in withdrawn:
            self._jobs.cancel_job_by_id(id_, delete_job=True, connection=here)
        for id_, order in reordered.items():
            here.execute(_REORDER, (order, id_))
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


def _job(offer: Offer, order: int) -> ProcrastinateJob:
    return ProcrastinateJob(
        queue=offer.queue,
        priority=order,
        lock=None,
        queueing_lock=f"{offer.cid}/{offer.attempt}",
        task_name=TASK,
        task_kwargs={"cid": offer.cid, "attempt": offer.attempt},
    )
