"""Cids: UUIDv7 text that grows strictly, whatever the clock does and however many threads ask.

Imports aura_aio.model and hypothesis.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from aura_aio.model.clock import Clock, SystemClock
from aura_aio.model.ids import CidFactory

NOW = 1_769_860_800.0
FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class ScriptedClock(SystemClock):
    """Shows one time after the other, and then the last one for ever."""

    def __init__(self, *times: float) -> None:
        self._times = list(times)

    def now(self) -> float:
        """The next time."""
        return self._times.pop(0) if len(self._times) > 1 else self._times[0]


def millisecond(cid: str) -> int:
    """The time in a cid, as RFC 9562 lays it out."""
    return UUID(cid).int >> 80


def grows(cids: list[str]) -> bool:
    """Whether each is greater than the one before it."""
    return all(earlier < later for earlier, later in pairwise(cids))


def test_a_cid_is_a_uuid_of_version_7_with_the_time_in_it() -> None:
    cid = CidFactory(ScriptedClock(NOW + 0.125))()
    assert FORM.fullmatch(cid)
    assert (UUID(cid).version, UUID(cid).variant) == (7, RFC_4122)
    assert millisecond(cid) == int(NOW * 1000) + 125


def test_cids_of_one_millisecond_grow() -> None:
    clock: Clock = ScriptedClock(NOW)
    new_cid = CidFactory(clock)
    cids = [new_cid() for _ in range(10_000)]
    assert grows(cids)
    assert all(FORM.fullmatch(cid) for cid in cids)
    # 4,096 a millisecond, the first of them from the lower half: it has borrowed two milliseconds.
    assert millisecond(cids[-1]) - millisecond(cids[0]) == 2


@given(st.lists(st.floats(NOW - 1e6, NOW + 1e6), min_size=1, max_size=50))
def test_cids_grow_whatever_the_clock_does(times: list[float]) -> None:
    new_cid = CidFactory(ScriptedClock(*times))
    assert grows([new_cid() for _ in times])


def test_a_clock_that_has_gone_back_is_taken_up_again_once_it_is_past_the_last_cid() -> None:
    new_cid = CidFactory(ScriptedClock(NOW, NOW - 3600, NOW + 1))
    first, stepped_back, later = new_cid(), new_cid(), new_cid()
    assert millisecond(first) == millisecond(stepped_back) == int(NOW * 1000)
    assert millisecond(later) == int((NOW + 1) * 1000)


def test_two_processes_do_not_meet_in_the_same_millisecond() -> None:
    cids = {CidFactory(ScriptedClock(NOW))() for _ in range(10_000)}
    assert len(cids) == 10_000


def test_threads_get_different_cids_and_each_sees_them_grow() -> None:
    new_cid = CidFactory(SystemClock())

    def take(_: int) -> list[str]:
        return [new_cid() for _ in range(5_000)]

    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(take, range(8)))
    assert all(grows(cids) for cids in taken)
    assert len({cid for cids in taken for cid in cids}) == 40_000
