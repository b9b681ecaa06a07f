"""Why a queued run does not run yet: every reason, since when, and who is in the way.

Imports msgspec, pytest, aura_aio's model and scheduler, and `bench`.
"""

from collections.abc import Mapping
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from aura_aio.model.fleet import PlanDigests
from aura_aio.model.limits import Limits
from aura_aio.model.ports import WorkerStatus
from aura_aio.model.queue_store import Holder, Position
from aura_aio.model.run import Limit, Run, Tasklet
from aura_aio.scheduler import waiting
from aura_aio.scheduler.rehearsal import as_queued
from aura_aio.scheduler.waiting import Obstacles, Pauses, Waiting, WaitingCode, WaitingReason
from tests.scheduler.bench import START

SITE, DISK = Limit("mutex:site", 1), Limit("resource:disk", 2)
FREE = WorkerStatus("w1", None, "ready", slots=2, busy=1)
BUSY = WorkerStatus("w2", None, "ready", slots=2, busy=2)
STARTING = WorkerStatus("w3", None, "starting", slots=2, busy=0)
NO_PAUSES = Pauses(None, {})
NEXT = Position(ahead=0, delayed_until=None)


def queued(*limits: Limit, run_at: float | None = None) -> Run:
    """A run of the plan `p`, which came at the start."""
    return as_queued(Tasklet("c", "p", "t", "d", START, run_at=run_at, limits=limits))


def obstacles(
    *,
    stopped_since: float | None = None,
    pauses: Pauses = NO_PAUSES,
    holders: tuple[Holder, ...] = (),
    workers: tuple[WorkerStatus, ...] = (FREE,),
    plans: Mapping[str, PlanDigests] = MappingProxyType({}),
    seen: frozenset[str] | None = None,
) -> Obstacles:
    """With room for more, unless it is said otherwise."""
    return Obstacles(
        stopped_since=stopped_since,
        pauses=pauses,
        holders=holders,
        workers=workers,
        plans=plans,
        seen=seen,
    )


def holder(cid: str, *limits: Limit, started_at: float) -> Holder:
    """Who holds something since so long after the start."""
    held: Limits = limits
    return Holder(cid, held, START + started_at)


def test_who_is_next_waits_for_nothing() -> None:
    assert obstacles().waiting(queued(SITE), NEXT) == Waiting(1, 0, ())


@pytest.mark.parametrize("workers", [(), (BUSY,), (STARTING,), (BUSY, STARTING)])
def test_without_a_worker_that_has_room_it_waits_for_one(workers: tuple[WorkerStatus, ...]) -> None:
    reason = WaitingReason(WaitingCode.NO_WORKER, since=START)
    assert obstacles(workers=workers).waiting(queued(), NEXT) == Waiting(1, 0, (reason,))
    assert obstacles(workers=(*workers, FREE)).waiting(queued(), NEXT).reasons == ()


@pytest.mark.parametrize(
    ("plans", "waits"),
    [
        ({"a": {"p": "1"}, "b": {"p": "1"}}, False),
        ({"a": {"p": "1"}, "b": {"p": "2"}}, False),
        ({"a": {"p": "2"}, "b": {"p": "1"}}, True),
        ({"a": {"p": "2"}, "b": {"p": "3"}}, False),
        ({"a": {"p": "2"}, "b": {}}, False),
        ({"a": {"q": "1"}, "b": {"p": "2"}}, True),
        ({"a": {"q": "1"}, "b": {"q": "1"}}, True),
    ],
)
def test_where_hosts_have_other_plans_it_waits_for_one_that_takes_it(
    plans: dict[str, PlanDigests], waits: bool
) -> None:
    """The host `a` has room, `b` has none."""
    workers = (replace(FREE, name="a/worker-1"), replace(BUSY, name="b/worker-1"))
    run = replace(queued(), plan_digest="1")
    found = obstacles(workers=workers, plans=plans).waiting(run, NEXT)
    reason = WaitingReason(WaitingCode.NO_HOST, since=START)
    assert found.reasons == ((reason,) if waits else ())
    (busy,) = obstacles(workers=workers[1:], plans=plans).waiting(run, NEXT).reasons
    assert busy.code is WaitingCode.NO_WORKER


def test_those_ahead_are_in_the_way_since_it_is_ready() -> None:
    found = obstacles().waiting(queued(run_at=START + 5), Position(3, None))
    assert found == Waiting(4, 3, (WaitingReason(WaitingCode.BEHIND, since=START + 5),))


def test_a_delayed_run_has_no_place_yet_and_waits_for_its_time() -> None:
    run = queued(SITE, run_at=START + 60)
    held = obstacles(holders=(holder("a", SITE, started_at=1),), workers=())
    reason = WaitingReason(WaitingCode.DELAYED, since=START, until=START + 60)
    assert held.waiting(run, Position(0, START + 60)) == Waiting(None, None, (reason,))


def test_what_is_stopped_or_paused_is_said_first_with_the_earlier_pause() -> None:
    pauses = Pauses(START + 9, {"p": START + 7, "q": START + 1})
    found = obstacles(stopped_since=START + 3, pauses=pauses).waiting(queued(), Position(1, None))
    assert found.reasons == (
        WaitingReason(WaitingCode.STOPPED, since=START + 3),
        WaitingReason(WaitingCode.PAUSED, since=START + 7),
        WaitingReason(WaitingCode.BEHIND, since=START),
    )
    of_another = obstacles(pauses=Pauses(None, {"q": START + 1}))
    assert of_another.waiting(queued(), NEXT).reasons == ()


def test_what_has_no_room_is_named_with_who_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST_BLOCKING", 2)
    holders = (
        holder("a", DISK, started_at=1),
        holder("b", SITE, DISK, started_at=2),
        holder("c", DISK, started_at=3),
    )
    needed = (SITE, DISK, Limit("exclusive", 1), Limit("instances:p/t", 1))
    found = obstacles(holders=holders).waiting(queued(*needed), NEXT)
    assert found.reasons == (
        WaitingReason(WaitingCode.MUTEX, START + 2, None, "site", ("b",)),
        WaitingReason(WaitingCode.RESOURCE, START + 3, None, "disk", ("a", "b")),
    )
    late = obstacles(holders=holders).waiting(queued(SITE, run_at=START + 8), NEXT)
    assert [reason.since for reason in late.reasons] == [START + 8]


def test_only_who_is_seen_is_named() -> None:
    holders = (holder("a", DISK, started_at=1), holder("b", DISK, started_at=2))
    found = obstacles(holders=holders, seen=frozenset("b")).waiting(queued(DISK), NEXT)
    (reason,) = found.reasons
    assert (reason.since, reason.blocking_cids) == (START + 2, ("b",))


@pytest.mark.parametrize(
    ("limit", "code", "name"),
    [
        (Limit("exclusive", 1), WaitingCode.EXCLUSIVE, None),
        (Limit("instances:p/t", 1), WaitingCode.MAX_INSTANCES, "p/t"),
    ],
)
def test_each_kind_of_limit_has_its_word(limit: Limit, code: WaitingCode, name: str | None) -> None:
    found = obstacles(holders=(holder("a", limit, started_at=1),)).waiting(queued(limit), NEXT)
    assert [(reason.code, reason.resource) for reason in found.reasons] == [(code, name)]
