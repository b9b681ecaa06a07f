"""Which runs start: against a naive walk over the whole queue, and what must hold whatever happens.

Imports Hypothesis, aura_aio.model and the walk in `tests.queue_walk`.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from aura_aio.model.lanes import Head, Lane, Places, startable
from aura_aio.model.limits import Limits
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
            if ("", str(run.limits)) == lane:
                return Head(run.order, lane, run.limits, run.order[2])
        return None

    def heads(self) -> list[Head]:
        """The first of each lane, in an order that means nothing."""
        lanes = {("", str(run.limits)) for run in self.runs}
        heads = [head for lane in sorted(lanes) if (head := self.head_of(lane)) is not None]
        return heads[::-1]

    def claim(self, holding: Sequence[Limits], most: int) -> list[Waiting]:
        """Take out what may start."""
        started = []
        for head in islice(startable(self.heads(), Places(holding), self.head_of), most):
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
