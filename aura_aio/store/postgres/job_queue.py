"""A host's side of Procrastinate: takes jobs, finishes them, beats, and hears that there are more.

May import the rest of `store.postgres`, psycopg, procrastinate, the standard library and model
only.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job as ProcrastinateJob
from procrastinate.jobs import Notification, Status
from procrastinate.manager import get_channel_for_queues
from procrastinate.types import JSONDict
from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool

from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.job_queue import Job
from aura_aio.store.postgres import job_statements
from aura_aio.store.postgres.connection import JOBS_SCHEMA, parameters
from aura_aio.store.postgres.database import told
from aura_aio.store.postgres.job_tables import prepare
from aura_aio.store.postgres.jobs import TASK

_log = logging.getLogger("aura.store.postgres")

PAUSE_SEC: Final = 0.5
MOST_AT_ONCE: Final = 4
"""Connections for jobs."""
ANSWER_SEC: Final = 5.0
"""How long to wait for a connection until the database counts as away."""
RECONNECT_SEC: Final = 1.0
"""How long the pool tries by itself, each time after twice as long a pause; then again when it is
asked. Else it finds a database that was away for a minute another minute later."""

_OPTIONS: Final = f"-c search_path={JOBS_SCHEMA} -c synchronous_commit=off"
"""What was taken or finished may be forgotten when the database is killed: the row of a run is the
truth, and jobs that do not fit it are put right (`dispatch.leases`)."""


class ProcrastinateJobs:
    """Implements `model.job_queue.JobQueue`."""

    def __init__(self, url: DatabaseUrl, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        given = parameters(url)
        given["options"] = f"{given.get('options', '')} {_OPTIONS}".strip()
        self._connector = PsycopgConnector(
            pool_factory=_unchecked,
            kwargs=given,
            configure=_commit_at_once,
            min_size=1,
            max_size=MOST_AT_ONCE,
            timeout=ANSWER_SEC,
            reconnect_timeout=RECONNECT_SEC,
        )
        self._jobs = App(connector=self._connector).job_manager
        self._worker_id: int | None = None
        self._tasks = CoroutineTasks()

    async def open(self) -> None:
        """Make the tables, if need be, and become one of those who take jobs.

        Raises:
            StoreUnavailable: see `job_tables.prepare`.
        """
        await asyncio.to_thread(prepare, self._url)
        try:
            with self._available():
                await self._connector.open_async()
                self._worker_id = await self._jobs.register_worker()
        except BaseException:  # also who is cancelled leaves nothing open
            await self._connector.close_async()
            raise

    async def aclose(self) -> None:
        """Take no more, and let the others know."""
        await self._tasks.aclose()
        try:
            with self._available():
                if self._worker_id is not None:
                    await self._jobs.unregister_worker(self._worker_id)
        except StoreUnavailable as error:  # the others will notice
            _log.warning("jobs are left", extra={"action": "jobs_left", "reason": str(error)})
        await self._connector.close_async()

    @property
    def alive(self) -> bool:
        """Whether it listens, or tries to."""
        return not self._tasks.died

    def listen(self, come: Callable[[], None], asked: Callable[[int], None]) -> None:
        """From now on call `come` when jobs may have come, and `asked` with the id of a job whose
        host is to look at its run.
        """
        self._tasks.spawn(self._listen(come, asked))

    async def fetch(self, queues: Collection[str], most: int) -> Sequence[Job]:
        """Take jobs: one at first, then as many as could be there."""
        found: list[Job] = []
        with self._available():
            while len(found) < most:
                asked = most - len(found) if found else 1
                come = await self._connector.execute_query_all_async(
                    job_statements.FETCH,
                    queues=sorted(queues),
                    worker_id=self._worker_id,
                    most=asked,
                )
                found += [_job(row["id"], row["args"]) for row in come]
                if len(come) < asked:
                    break
        return found

    async def finish(self, job_ids: Collection[int]) -> None:
        """Delete them."""
        with self._available():
            await self._connector.execute_query_async(job_statements.FINISH, ids=list(job_ids))

    async def abort(self, cid: str, attempt: int) -> None:
        """Ask for its end, as Procrastinate does for its own tasks."""
        with self._available():
            found = await self._jobs.list_jobs_async(
                queueing_lock=f"{cid}/{attempt}", status=Status.DOING.value
            )
            for job in found:
                if job.id is not None:
                    await self._jobs.cancel_job_by_id_async(job.id, abort=True)

    async def beat(self) -> bool:
        """Beat; who was given up becomes a worker anew."""
        with self._available():
            await self._jobs.update_heartbeat(self._worker_id or 0)
            row = await self._connector.execute_query_one_async(
                job_statements.IS_THERE, worker_id=self._worker_id
            )
            if row["n"]:
                return True
            self._worker_id = await self._jobs.register_worker()
        return False

    async def mine(self) -> Collection[int]:
        """The jobs of this worker that are under way."""
        with self._available():
            jobs = await self._jobs.list_jobs_async(
                worker_id=self._worker_id, status=Status.DOING.value
            )
        return [job.id for job in jobs if job.id is not None]

    async def stalled(self, silent_sec: float) -> Sequence[Job]:
        """Those that Procrastinate takes for stalled."""
        with self._available():
            jobs = await self._jobs.get_stalled_jobs(
                task_name=TASK, seconds_since_heartbeat=silent_sec
            )
        return [_offered(job)._replace(taker=job.worker_id) for job in jobs]

    async def forget(self, takers: Collection[int]) -> None:
        """Unregister these workers."""
        with self._available():
            await asyncio.gather(*map(self._jobs.unregister_worker, takers))

    async def silent(self, silent_sec: float) -> Collection[int]:
        """Those that it takes for stalled."""
        with self._available():
            rows = await self._connector.execute_query_all_async(
                job_statements.SILENT, silent_sec=silent_sec
            )
        return [row["id"] for row in rows]

    async def forget_silent(self, silent_sec: float) -> None:
        """Forget workers."""
        with self._available():
            await self._jobs.prune_stalled_workers(silent_sec)

    async def _listen(self, come: Callable[[], None], asked: Callable[[int], None]) -> None:
        """On a connection of our own: Procrastinate's `listen_for_jobs` waits with
        `asyncio.wait_for`, which on Python 3.11 may take no notice of being cancelled.
        """
        while True:
            try:
                await self._listen_once(come, asked)
            except OperationalError as error:
                extra = {"action": "jobs_not_heard", "reason": told(self._url, error)}
                _log.warning("it is not heard of jobs", extra=extra)
            await self._clock.sleep(PAUSE_SEC)

    async def _listen_once(self, come: Callable[[], None], asked: Callable[[int], None]) -> None:
        connection: AsyncConnection[Any]
        async with await AsyncConnection.connect(
            **parameters(self._url), autocommit=True
        ) as connection:
            for channel in get_channel_for_queues(None):
                await connection.execute(f'LISTEN "{channel}"'.encode())
            come()
            async for notify in connection.notifies():
                _take(notify.payload, come, asked)

    @contextmanager
    def _available(self) -> Iterator[None]:
        try:
            yield
        except ConnectorException as error:
            reason = told(self._url, error.__cause__ or error)
            raise StoreUnavailable(f"Procrastinate cannot be asked: {reason}.") from error


def _take(payload: str, come: Callable[[], None], asked: Callable[[int], None]) -> None:
    """A notice; one that is not understood (a newer version's, or another program's on the same
    channel) may say that there are jobs.
    """
    try:
        notification: Notification = json.loads(payload)
        if notification["type"] == "abort_job_requested":
            asked(notification["job_id"])
            return
    except Exception:  # whatever it is, the next notice is heard
        _log.exception("a notice was not taken", extra={"action": "job_notice_failed"})
    come()


async def _commit_at_once(connection: AsyncConnection[Any]) -> None:
    """Each statement is a transaction, and one round trip in place of three."""
    await connection.set_autocommit(True)


def _unchecked(**given: Any) -> AsyncConnectionPool[Any]:
    """A pool that asks no connection whether it is there before each use, which is a round trip:
    who finds it lost tries again in any case.
    """
    return AsyncConnectionPool(**{**given, "check": None})


def _offered(job: ProcrastinateJob) -> Job:
    return _job(job.id or 0, job.task_kwargs)


def _job(id_: int, args: JSONDict) -> Job:
    return Job(id_, str(args["cid"]), int(str(args["attempt"])))
