"""Jobs that carry offers: which are touched so that those that wait are what is offered.

Imports Hypothesis, the contract, aura_aio.model and `aura_aio.catalog.references`.
"""

from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aura_aio.catalog.references import is_name
from aura_aio.contract.document import load_contract
from aura_aio.model.job_queue import (
    LEVEL,
    Arrangement,
    Offer,
    Waiting,
    arrange,
    queue_of,
    queues_of,
)

CHANNEL = "procrastinate_queue_v1#"
MOST_OF_CHANNEL = 63
"""PostgreSQL takes no longer name of a channel, in bytes; Procrastinate notifies one per queue."""
SCHEMAS = load_contract().as_dict()["components"]["schemas"]
PRIORITY = SCHEMAS["AdHocTaskRequest"]["properties"]["priority"]
LOWEST, HIGHEST = PRIORITY["minimum"], PRIORITY["maximum"]

Attempt = tuple[str, int]

KEYS = st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 2), st.sampled_from(["p", "q"]))


@st.composite
def offered(draw: st.DrawFn) -> list[Offer]:
    """Offers in their order: the priorities go down."""
    keys = draw(st.lists(KEYS, max_size=8, unique_by=lambda key: key[:2]))
    priorities = st.sampled_from([LOWEST, -1, 0, 1, HIGHEST])
    falling = sorted((draw(priorities) for _ in keys), reverse=True)
    return [Offer(*key, priority) for key, priority in zip(keys, falling, strict=True)]


@st.composite
def waiting(draw: st.DrawFn) -> list[Waiting]:
    """Jobs that nobody has taken, with whatever order: of each attempt one, as Procrastinate has
    them.
    """
    keys = draw(st.lists(KEYS, max_size=8, unique_by=lambda key: key[:2]))
    orders = st.one_of(
        st.integers(-2, 2),
        st.integers((LOWEST - 1) * LEVEL, (HIGHEST + 2) * LEVEL),
        st.sampled_from([LOWEST, -1, 0, 1, HIGHEST]).map(lambda each: each * LEVEL),
    )
    ids = draw(st.permutations(range(1, len(keys) + 1)))
    return [Waiting(id_, *key, draw(orders)) for id_, key in zip(ids, keys, strict=True)]


TAKEN = st.sets(st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 2)), max_size=4)


def carried_out(arrangement: Arrangement, jobs: Iterable[Waiting]) -> list[Waiting]:
    """The jobs that wait then, as they are taken; new ones get ids behind all others."""
    withdrawn, reordered, added = arrangement
    jobs, gone = tuple(jobs), set(withdrawn)
    newest = max((job.id for job in jobs), default=0)
    left = [
        job._replace(order=reordered.get(job.id, job.order)) for job in jobs if job.id not in gone
    ]
    new = [
        Waiting(newest + number, offer.cid, offer.attempt, offer.queue, order)
        for number, (offer, order) in enumerate(added, start=1)
    ]
    return sorted(left + new, key=lambda job: (-job.order, job.id))


def told(jobs: Iterable[Waiting | Offer]) -> list[tuple[str, int, str]]:
    """What is offered, and where."""
    return [(job.cid, job.attempt, job.queue) for job in jobs]


@given(offered(), waiting(), TAKEN)
@example([Offer("a", 1, "q", 0)], [Waiting(1, "a", 1, "p", 0)], set())
@example([Offer("a", 1, "p", 1), Offer("b", 1, "p", 0)], [Waiting(1, "b", 1, "p", LEVEL)], set())
def test_the_jobs_that_wait_are_what_nobody_has_in_the_order_of_the_offers(
    offers: list[Offer], jobs: list[Waiting], taken: set[Attempt]
) -> None:
    arrangement = arrange(offers, jobs, taken)
    left = carried_out(arrangement, jobs)
    assert told(left) == told(offer for offer in offers if (offer.cid, offer.attempt) not in taken)
    assert arrangement.reordered.keys() <= {job.id for job in jobs} - set(arrangement.withdrawn)
    assert all(abs(job.order) < 1 << 31 for job in left)
    assert arrange(offers, left, taken) == ([], {}, []), "the second time nothing is left to do"


@given(offered(), st.sampled_from("xyz"))
def test_what_comes_behind_all_others_touches_none_of_them(offers: list[Offer], cid: str) -> None:
    jobs = carried_out(arrange(offers, [], ()), [])
    new = Offer(cid, 1, "p", min((offer.priority for offer in offers), default=0))
    arrangement = arrange([*offers, new], jobs, ())
    assert arrangement == ([], {}, [(new, new.priority * LEVEL)])


@given(offered())
def test_what_was_taken_touches_nothing_that_waits(offers: list[Offer]) -> None:
    jobs = carried_out(arrange(offers, [], ()), [])
    for job in jobs[:1]:
        assert arrange(offers, jobs[1:], {(job.cid, job.attempt)}) == ([], {}, [])


@pytest.mark.parametrize(("priority", "most_come_first"), [(LOWEST, False), (HIGHEST, True)])
def test_orders_stay_within_32_bits_also_if_a_level_has_too_few_numbers(
    priority: int, most_come_first: bool
) -> None:
    """There are some, and then come others, more of which go to the end, or to the front."""
    offers = [Offer(str(n), 1, "p", priority) for n in range(LEVEL + 2)]
    few, many = offers[:2], offers[2:]
    there = carried_out(arrange(few, [], ()), [])
    wanted = [*many, *few] if most_come_first else [*few[::-1], *many]
    left = carried_out(arrange(wanted, there, ()), there)
    assert told(left) == told(wanted)
    assert all(abs(job.order) < 1 << 31 for job in left)


SHORT = "hello"
LONGEST = ("a" * 100, "雪" * 100, "p-" * 50)
"""Names of plans that the catalog takes; the second has 300 bytes."""


@pytest.mark.parametrize(
    "name",
    [SHORT, "a" * 23, "a" * 24, *LONGEST],
    ids=["short", "just fits", "too long", "long", "wide", "dashes"],
)
def test_it_is_offered_where_hosts_look_and_the_name_of_the_queue_fits(name: str) -> None:
    assert is_name(name)
    digest, other = "0123456789abcdef" * 4, "f" * 64
    here, elsewhere = {name: digest}, {name: other}
    offered_in = [
        queue_of(name, digest, hosts) for hosts in ([here], [elsewhere, here], [elsewhere], [])
    ]
    assert [queue in queues_of(here) for queue in offered_in] == [True] * 4
    assert [queue in queues_of(elsewhere) for queue in offered_in] == [False, False, True, True]
    assert max(len((CHANNEL + queue).encode()) for queue in offered_in) <= MOST_OF_CHANNEL


def test_no_two_plans_share_a_queue() -> None:
    names = [SHORT, "a" * 23, "a" * 24, "a" * 25, *LONGEST, "雪" * 99]
    digests = ["0" * 64, "1" * 64]
    queues = [queue for name in names for queue in queues_of({name: digests[0]})]
    queues += [queue_of(name, digests[1], [{name: digests[1]}]) for name in names]
    assert len(set(queues)) == len(queues) == 3 * len(names)


def test_queues_are_called_after_their_plans() -> None:
    assert queues_of({"hello": "0123456789abcdef" * 4}) == {"hello", "hello@0123456789abcdef"}
