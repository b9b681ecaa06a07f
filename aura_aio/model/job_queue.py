"""Where runs that may start are offered to all hosts, as jobs: the ports, and the order of jobs.

May import the standard library and other modules of `model` only.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple, Protocol

from aura_aio.model.fleet import PlanDigests
from aura_aio.model.run import RunChanged

LEVEL: Final = 1 << 16
"""How many numbers in the order of jobs each priority has."""
_MOST_OF_NAME: Final = 23
"""In bytes, of a plan's name in that of a queue: that has 40 at the most. Procrastinate notifies
`procrastinate_queue_v1#` with the name behind it, and PostgreSQL takes 63 bytes.
"""


class Offer(NamedTuple):
    """A run that may start now: an attempt of it is offered to the hosts that take from `queue`."""

    cid: str
    attempt: int
    queue: str
    priority: int


class Job(NamedTuple):
    """What carries an offer to one host; `taker` is the number that has taken it, of a host that is
    silent.
    """

    id: int
    cid: str
    attempt: int
    taker: int | None = None


class Waiting(NamedTuple):
    """A job that no host has taken yet. Of those with the highest `order` the one with the smallest
    `id` is taken first.
    """

    id: int
    cid: str
    attempt: int
    queue: str
    order: int


class Arrangement(NamedTuple):
    """What is to be done so that the jobs that wait are what is offered, in its order."""

    withdrawn: Sequence[int]
    reordered: Mapping[int, int]
    """The new `order` of jobs, by their ids."""
    added: Sequence[tuple[Offer, int]]
    """Offers without a job, in their order, and the `order` that their jobs get."""


class JobQueue(Protocol):
    """This host's side of the queue of jobs; whatever is asked raises StoreUnavailable."""

    def listen(self, come: Callable[[], None], asked: Callable[[int], None]) -> None:
        """From now on call `come` when jobs may have come, and `asked` with the id of a job whose
        host is to look at its run.
        """
        ...

    @property
    def alive(self) -> bool:
        """Whether it listens, or tries to."""
        ...

    async def fetch(self, queues: Collection[str], most: int) -> Sequence[Job]:
        """Take at most `most` jobs, the first ones of all `queues`. They are this host's until they
        are finished, or until it is silent for too long.
        """
        ...

    async def finish(self, job_ids: Collection[int]) -> None:
        """Forget jobs of this host: their attempts are over, or did not begin. Idempotent."""
        ...

    async def abort(self, cid: str, attempt: int) -> None:
        """Ask the host that has this attempt, whichever it is, to look at its run."""
        ...

    async def beat(self) -> bool:
        """Say that this host is there; False if the others have given it up. It takes jobs anew
        then.
        """
        ...

    async def mine(self) -> Collection[int]:
        """The jobs that are this host's."""
        ...

    async def stalled(self, silent_sec: float) -> Sequence[Job]:
        """The jobs of hosts that have not beaten for so long (by the clock of the database), or are
        no more.
        """
        ...

    async def silent(self, silent_sec: float) -> Collection[int]:
        """The hosts that have not beaten for so long (by the clock of the database)."""
        ...

    async def forget_silent(self, silent_sec: float) -> None:
        """Forget these hosts: their jobs are nobody's."""
        ...

    async def forget(self, takers: Collection[int]) -> None:
        """Give up the hosts that take jobs with these numbers: with their next beat they know."""
        ...


class OfferStore(Protocol):
    """Offers runs."""

    @property
    def some_wait(self) -> bool:
        """Whether runs are in the queue, as far as this host knows."""
        ...

    async def offer(self, most: int) -> Collection[RunChanged]:
        """See to it that the runs which may start next, `most` of each version of a plan that hosts
        have, are the jobs that wait: in the transaction of whatever else is written now. Answers
        what has changed in it before: this was looked at.
        """
        ...


def queue_of(plan_name: str, digest: str, hosts: Iterable[PlanDigests]) -> str:
    """The queue in which runs of a plan with this digest are offered: to the hosts that have it so;
    if there is none, to all that have the plan.
    """
    exact = any(plans.get(plan_name) == digest for plans in hosts)
    return _exact(plan_name, digest) if exact else _short(plan_name)


def queues_of(served: PlanDigests) -> frozenset[str]:
    """The queues from which a host takes jobs that has these plans."""
    exact = frozenset(_exact(name, digest) for name, digest in served.items())
    return exact.union(map(_short, served))


def _exact(plan_name: str, digest: str) -> str:
    return f"{_short(plan_name)}@{digest[:16]}"


def _short(plan_name: str) -> str:
    """The name of a plan; of a long one, what stands for it."""
    name = plan_name.encode()
    if len(name) <= _MOST_OF_NAME:
        return plan_name
    return f"~{sha256(name).hexdigest()[: _MOST_OF_NAME - 1]}"


def arrange(
    offers: Sequence[Offer], waiting: Iterable[Waiting], taken: Collection[tuple[str, int]]
) -> Arrangement:
    """How to get from the jobs that there are to one for each of `offers`, in the dispatch order.

    `waiting` are the jobs that nobody has taken; `taken` are the attempts (cid, attempt) of those
    that hosts have: nothing is offered twice. As few as possible are touched: usually those behind
    all others are new.
    """
    wanted = [offer for offer in offers if (offer.cid, offer.attempt) not in taken]
    found = {(job.cid, job.attempt, job.queue): job for job in waiting}
    known = [found.get((offer.cid, offer.attempt, offer.queue)) for offer in wanted]
    kept = {job.id for job in known if job is not None}
    orders = _orders(wanted, known)
    if not _are_taken_so(known, orders):
        orders = [offer.priority * LEVEL + LEVEL - 1 - i for i, offer in enumerate(wanted)]
    pairs = list(zip(wanted, known, orders, strict=True))
    return Arrangement(
        withdrawn=[job.id for job in found.values() if job.id not in kept],
        reordered={
            job.id: order for _, job, order in pairs if job is not None and job.order != order
        },
        added=[(offer, order) for offer, job, order in pairs if job is None],
    )


def _orders(wanted: Sequence[Offer], known: Sequence[Waiting | None]) -> list[int]:
    """What each job has, or gets: a new one goes before the next one that there is of its priority,
    else behind all others of it.
    """
    orders: list[int] = []
    following: dict[int, int] = {}
    for offer, job in zip(reversed(wanted), reversed(known), strict=True):
        if job is not None:
            following[offer.priority] = job.order
            orders.append(job.order)
        elif offer.priority in following:
            orders.append(following[offer.priority] + 1)
        else:
            orders.append(offer.priority * LEVEL)
    return orders[::-1]


def _are_taken_so(known: Sequence[Waiting | None], orders: Sequence[int]) -> bool:
    """Whether jobs with these orders are taken in their order; the new ones get the highest ids."""
    newest = max((job.id for job in known if job is not None), default=0)
    places = [
        (-order, newest + 1 + i if job is None else job.id)
        for i, (job, order) in enumerate(zip(known, orders, strict=True))
    ]
    return places == sorted(places)
