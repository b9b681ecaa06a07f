"""A host that offers runs as jobs and takes them, with real parts.

Imports aura_aio.dispatch, store, model and the fixtures' helpers.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Any, cast

from aura_aio.dispatch.procrastinate import JobClaims
from aura_aio.model.clock import SystemClock
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.fleet import HostStatus
from aura_aio.model.job_queue import OfferStore, queues_of
from aura_aio.model.run import Tasklet
from aura_aio.store.relational.store import SqlStore
from tests.postgres_server import connected
from tests.store.opened import Opened
from tests.store.postgres.at import postgres_at

DIGEST = "0123456789abcdef" * 4
PLANS: Mapping[str, str] = {"hello": DIGEST}


class JobsHost:
    """A store, its offers, and its side of the jobs; a host with these plans."""

    def __init__(self, url: DatabaseUrl, name: str = "one") -> None:
        from aura_aio.store.postgres.job_queue import (  # noqa: PLC0415 - it may be missing
            ProcrastinateJobs,
        )
        from aura_aio.store.postgres.jobs import Offered  # noqa: PLC0415 - as above

        self.name = name
        self.plans: Mapping[str, str] = {}
        self.opened = Opened(postgres_at(url, name=name))
        self.jobs = ProcrastinateJobs(url, SystemClock())
        self.offers: OfferStore
        self._put = Offered().put
        self._stack = AsyncExitStack()

    async def open(self, plans: Mapping[str, str] = PLANS) -> None:
        """Be one of the hosts."""
        await self.opened.open()
        self._stack.push_async_callback(self.opened.close)
        self.offers = self.store.offers(self._put)
        await self.jobs.open()
        self._stack.push_async_callback(self.jobs.aclose)
        await self.have(plans)

    async def have(self, plans: Mapping[str, str]) -> None:
        """Take runs of these plans from now on."""
        self.plans = plans
        await self.store.fleet.join(self.name, HostStatus(plans=plans), may_lead=True)

    async def close(self) -> None:
        """Be none of them any more."""
        await self._stack.aclose()

    @property
    def store(self) -> SqlStore:
        """Its store."""
        return cast(SqlStore, self.opened.store)

    async def queue(self, **changes: Any) -> str:
        """Queue a run of a plan as this host has it; answers its cid."""
        return await self.opened.enqueue(**{"plan_digest": DIGEST} | changes)

    async def offer(self, most: int = 9) -> None:
        """Offer what may start."""
        await self.offers.offer(most)

    async def take(self, most: int = 9) -> list[str]:
        """Take jobs; answers the runs that they offer."""
        return [job.cid for job in await self.jobs.fetch(queues_of(self.plans), most)]

    async def claim(self, *cids: str) -> list[str]:
        """Start these, if they may."""
        workers = [f"{self.name}/{number}" for number in range(len(cids))]
        return [each.cid for each in await self.store.queue.claim(workers, cids, self.plans)]


class Claiming(JobsHost):
    """A host that claims the runs of the jobs that it takes, and notes what it is told."""

    def __init__(self, url: DatabaseUrl, name: str = "one") -> None:
        super().__init__(url, name)
        self.looks = self.offers_again = 0
        self.claims: JobClaims

    async def begin(self) -> None:
        """Be one of the hosts."""
        await self.open()
        self.claims = JobClaims(self.store.runs, self.store.queue, self.jobs, SystemClock())
        self.claims.look_again = self._look
        self.claims.offer_again = self._offer_again

    async def end(self) -> None:
        """Be none of them any more."""
        await self.claims.aclose()
        await self.close()

    async def claimed(self, most: int = 1) -> Sequence[Tasklet]:
        """Claim for as many workers."""
        workers = [f"{self.name}/worker-{number}" for number in range(1, most + 1)]
        return await self.claims.claim(workers, None, self.plans)

    def _look(self) -> None:
        self.looks += 1

    def _offer_again(self) -> None:
        self.offers_again += 1


def jobs_in(url: DatabaseUrl, what: str = "args ->> 'cid'", where: str = "TRUE") -> list[Any]:
    """What is in the table of jobs, in the order in which they are taken."""
    with connected(url) as admin:
        found = admin.execute(
            f"SELECT {what} FROM aura_procrastinate.procrastinate_jobs WHERE {where} "  # noqa: S608
            "ORDER BY priority DESC, id"
        )
        return [row[0] for row in found]


def change(url: DatabaseUrl, statement: str) -> None:
    """Change something behind the back of all hosts."""
    with connected(url) as admin:
        admin.execute("SET search_path TO aura_procrastinate")
        admin.execute(statement)


@contextmanager
def away(url: DatabaseUrl, table: str) -> Iterator[None]:
    """Nothing that needs this table of Procrastinate's can be done while the context is open."""
    change(url, f"ALTER TABLE {table} RENAME TO away")
    try:
        yield
    finally:
        change(url, f"ALTER TABLE away RENAME TO {table}")


@contextmanager
def refusing(
    url: DatabaseUrl, table: str = "procrastinate_jobs", code: str = "disk_full"
) -> Iterator[None]:
    """The database takes no changes of this table while the context is open, and says why with this
    code.
    """
    change(
        url,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'no more' USING ERRCODE = '{code}'; END $$; "
        f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    try:
        yield
    finally:
        change(url, "DROP FUNCTION refuse CASCADE")
