"""Which runs start: against a naive walk over the whole queue, and what must hold whatever happens.

Imports Hypothesis, aura_aio.model and the walk in `tests.queue_walk`.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from aura_aio.model.lanes import Head, Lane, startable
from aura_aio.model.limits import Limits, limits_of_child
from aura_aio.model.run import Limit
from tests.queue_walk import Waiting, fits, walk

KEYS = "abc"


def limits_from(numbers: dict[str, int]) -> Limits:
    """In the order of the keys."""
    return tuple(Limit(key, most) for key, most in sorted(numbers.items()))


LIMITS = st.dictionaries(st.sampled_from(KEYS), st.integers(1, 3), max_size=3).map(limits_from)
QUEUES = st.lists(st.tuples(st.integers(-2, 0), st.integers(-1, 1), LIMITS), max_size=14).map(
    lambda runs: [
        Waiting((priority, rank, f"{number:02}"), limits)
        for number, (priority, rank, limits) in enumerate(runs)
    ]
)


class Queue:
    """Runs that wait, as a store has them: by lane."""

    def __init__(self, runs: Iterable[Waiting]) -> None:
        self.runs = sorted(runs)

    def head_of(self, lane: Lane) -> Head | None:
        """The first that waits with these limits."""
        for run in self.runs:
            if ("", "", str(run.limits)) == lane:
                return Head(run.order, lane, run.limits, run.order[2])
        return None

    def heads(self) -> list[Head]:
        """The first of each lane, in an order that means nothing."""
        lanes = {("", "", str(run.limits)) for run in self.runs}
        heads = [head for lane in sorted(lanes) if (head := self.head_of(lane)) is not None]
        return heads[::-1]

    def claim(self, holding: Sequence[Limits], most: int) -> list[Waiting]:
        """Take out what may start."""
        return self.claim_beside([("", limits) for limits in holding], most)

    def claim_beside(self, holders: Sequence[tuple[str, Limits]], most: int) -> list[Waiting]:
        """Take out what may start beside those that run: their cids, and what they hold."""
        started = []
        for head in islice(startable(self.heads(), holders, self.head_of), most):
            run = Waiting(head.order, head.limits)
            self.runs.remove(run)
            started.append(run)
        return started


@given(QUEUES, st.lists(LIMITS, max_size=5), st.integers(0, 6))
def test_what_starts_is_what_a_walk_over_the_queue_finds(
    runs: list[Waiting], holding: list[Limits], most: int
) -> None:
    queue = Queue(runs)
    started = queue.claim(holding, most)
    assert started == walk(runs, holding, most)
    assert queue.runs == sorted(set(runs) - set(started))


def keys(limits: Limits) -> set[str]:
    """What is needed."""
    return {limit.key for limit in limits}


@given(QUEUES, st.lists(LIMITS, max_size=5))
def test_what_stays_has_no_room_or_leaves_it_to_one_that_goes_first(
    runs: list[Waiting], holding: list[Limits]
) -> None:
    queue = Queue(runs)
    started = queue.claim(holding, len(runs))
    taken = [*holding, *(run.limits for run in started)]
    for number, run in enumerate(queue.runs):
        leaves_it = any(keys(run.limits) & keys(first.limits) for first in queue.runs[:number])
        assert leaves_it or not fits(run.limits, taken)


class Life:
    """Runs come, start and end."""

    def __init__(self) -> None:
        self.queue = Queue([])
        self.running: list[Waiting] = []
        self.count = 0

    def add(self, priority: int, limits: Limits) -> Waiting:
        """A run joins the queue."""
        self.count += 1
        run = Waiting((priority, 0, f"{self.count:04}"), limits)
        self.queue.runs = sorted([*self.queue.runs, run])
        return run

    def claim(self, most: int) -> list[Waiting]:
        """Start what may start; no key is ever held by more than any of its holders allows."""
        started = self.queue.claim(self.held(), most)
        self.running += started
        for limit in (limit for limits in self.held() for limit in limits):
            assert sum(limit.key in keys(limits) for limits in self.held()) <= limit.most
        return started

    def held(self) -> list[Limits]:
        """What those that run hold."""
        return [run.limits for run in self.running]


@given(st.data())
def test_no_more_than_any_of_them_allows_ever_hold_a_key(data: st.DataObject) -> None:
    life = Life()
    for _ in range(data.draw(st.integers(1, 12))):
        for limits in data.draw(st.lists(LIMITS, max_size=4)):
            life.add(data.draw(st.integers(-1, 0)), limits)
        life.claim(data.draw(st.integers(0, 4)))
        if life.running:
            life.running.pop(data.draw(st.integers(0, len(life.running) - 1)))


@given(st.data(), LIMITS.filter(bool))
def test_a_run_that_goes_first_is_never_overtaken_on_what_it_needs(
    data: st.DataObject, limits: Limits
) -> None:
    life = Life()
    for others in data.draw(st.lists(LIMITS, max_size=6)):
        life.add(0, others)
    life.claim(6)
    before = list(life.running)
    first = life.add(-9, limits)
    for number in range(len(before) + 1):
        for others in data.draw(st.lists(LIMITS, max_size=4)):
            life.add(0, others)
        free = {limit.key for limit in limits if fits((limit,), life.held())}
        started = life.claim(9)
        if free == keys(limits):  # the next place is its own
            assert started[0] == first
            return
        for limit in limits:
            if limit.key in free:
                assert fits((limit,), life.held())
            else:
                assert not any(limit.key in keys(run.limits) for run in started)
        life.running.remove(before[number])
    raise AssertionError("it starved")


class Coming(NamedTuple):
    """A run to come: what it needs, and what its child needs, if it waits for one."""

    priority: int
    limits: Limits
    child: Limits | None = None


class Families:
    """Runs come, start, have children, and end when these have ended."""

    def __init__(self) -> None:
        self.queue = Queue([])
        self.running: dict[str, Waiting] = {}
        self.coming: dict[str, Coming] = {}
        self.parents: dict[str, str] = {}

    def add(self, coming: Coming) -> None:
        """A run joins the queue."""
        cid = f"{len(self.coming):02}"
        self.coming[cid] = coming
        self._join(Waiting((coming.priority, 0, cid), coming.limits))

    def start(self, most: int) -> bool:
        """Start what may start, and let it ask for its child; whether there was something."""
        holders = [(cid, run.limits) for cid, run in self.running.items()]
        started = self.queue.claim_beside(holders, most)
        for run in started:
            cid = run.order[2]
            self.running[cid] = run
            needs = self.coming[cid].child if cid in self.coming else None
            if needs is not None:
                child = f"{cid}-child"
                self.parents[child] = cid
                limits = limits_of_child(needs, [(cid, run.limits)])
                self._join(Waiting((run.order[0], -1, child), limits))
        return bool(started)

    def end(self) -> bool:
        """End what waits for no child; whether there was something."""
        done = self.running.keys() - self.parents.values()
        for cid in done:
            del self.running[cid]
            self.parents.pop(cid, None)
        return bool(done)

    def _join(self, run: Waiting) -> None:
        self.queue.runs = sorted([*self.queue.runs, run])


A, B, X, Y = (Limit(key, 1) for key in "abxy")
# What a child needs no parent holds: else families may wait for each other, whatever is done.
PARENTS = st.builds(
    Coming,
    st.integers(-2, 0),
    LIMITS,
    st.dictionaries(st.sampled_from("xy"), st.integers(1, 2)).map(limits_from),
)
OTHERS = st.builds(
    Coming,
    st.integers(-2, 0),
    st.dictionaries(st.sampled_from("abcxy"), st.integers(1, 2), max_size=3).map(limits_from),
    st.none(),
)


@given(st.lists(PARENTS, max_size=4), st.lists(OTHERS, max_size=6), st.integers(1, 4))
@example([Coming(0, (A,), (X,))], [Coming(-1, (A, X))], 9)
@example([Coming(0, (A,), (X,))], [Coming(-2, (A, Y)), Coming(-1, (X, Y))], 9)
@example([Coming(0, (A,), (X,))], [Coming(-2, (A, X)), Coming(-1, (X,))], 9)
@example(
    [Coming(0, (A,), (X,)), Coming(0, (B,), (Y,))], [Coming(-1, (A, Y)), Coming(-1, (B, X))], 9
)
@example([Coming(0, (Limit("a", 2),), (Limit("x", 2),))], [Coming(-1, (A, X))], 9)
def test_families_and_those_that_wait_for_them_all_end(
    parents: list[Coming], others: list[Coming], slots: int
) -> None:
    families = Families()
    for parent in parents:
        families.add(parent)
        families.start(1)
    for other in others:
        families.add(other)
    while families.queue.runs or families.running:
        started = families.start(slots)
        assert families.end() or started, "all wait for each other"


def test_a_child_passes_by_none_but_those_that_wait_for_a_parent() -> None:
    parent = ("parent", (A,))
    child = Waiting((0, -1, "child"), limits_of_child((Y,), [parent]))
    orphan = Waiting((0, -1, "child"), limits_of_child((Y,), [("parent", ())]))
    plain, stuck = Waiting((-1, 0, "w"), (X, Y)), Waiting((-1, 0, "w"), (A, Y))
    other = ("other", (X,))
    assert Queue([child, plain]).claim_beside([parent, other], 9) == []
    assert Queue([child, stuck]).claim_beside([parent, other], 9) == [child]
    assert Queue([orphan, plain]).claim_beside([other], 9) == []
    assert Queue([child, plain]).claim_beside([parent], 9) == [plain]  # in order, while it may


def test_who_waits_for_a_parent_still_keeps_its_places_from_others() -> None:
    parent = ("parent", (A,))
    child = Waiting((0, -1, "child"), limits_of_child((X,), [parent]))
    stuck, other = Waiting((-1, 0, "w"), (A, Y)), Waiting((0, 0, "other"), (Y,))
    assert Queue([child, stuck, other]).claim_beside([parent], 9) == [child]
