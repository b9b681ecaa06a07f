"""The simulation: the same again, in keeping with the formulas, and quick.

Imports `simulation` of the scripts, and costs that are made up.
"""

from math import inf

import pytest
from msgspec.structs import replace
from simulation.capacity import (
    TURN,
    answer_sec,
    capacity,
    cycle_sec,
    databases_for,
    full_turns_give,
)
from simulation.world import Fleet, Load, Seen, World

from tests.simulation.made import COSTS

BUSY = Fleet(hosts=4, slots=64), Load(rate=600.0)


def seen(fleet: Fleet, load: Load, seconds: float) -> Seen:
    return World(fleet, load, COSTS).run(seconds, warm_up=seconds / 4)


def test_a_seed_gives_the_same_again_and_another_one_does_not() -> None:
    first, again, other = (World(*BUSY, COSTS, seed=seed).run(2.0) for seed in (7, 7, 8))
    assert first == again
    assert first != other


@pytest.mark.parametrize("network_sec", [0.0, 0.001])
def test_alone_a_run_waits_for_its_own_transaction_only(network_sec: float) -> None:
    fleet = Fleet(hosts=1, slots=8, network_sec=network_sec, beat_sec=inf)
    turn = COSTS.fixed_sec(network_sec)
    found = seen(fleet, Load(rate=0.5), 1_000.0)
    assert found.answer_sec == pytest.approx(turn + COSTS.enqueue_sec + COSTS.claim_sec, rel=0.05)
    assert found.turn_busy == pytest.approx(0.5 * (2 * turn + COSTS.run_sec(0)), rel=0.15)


def test_busy_hosts_have_the_cycle_of_a_polling_system() -> None:
    found = seen(*BUSY, 20.0)
    assert found.cycle_sec == pytest.approx(cycle_sec(*BUSY, COSTS), rel=0.05)
    assert found.ended_per_sec == pytest.approx(600.0, rel=0.05)


@pytest.mark.parametrize("hosts", [1, 5])
@pytest.mark.parametrize("slots", [4, 16, 500])
def test_with_more_than_enough_to_do_full_turns_bound_it(hosts: int, slots: int) -> None:
    """Runs that are queued already are only claimed and ended, however many hosts do it."""
    fleet, load = Fleet(hosts, slots), Load(rate=0.0, backlog=50_000)
    found = seen(fleet, load, 10.0)
    costs = replace(COSTS, enqueue_sec=0.0)
    assert found.ended_per_sec == pytest.approx(full_turns_give(fleet, load, costs), rel=0.02)
    assert found.turn_busy == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize(("slots", "service_sec"), [(10, 2.0), (40, 0.1)])
def test_slots_are_held_while_a_run_goes_on_and_for_an_answer(
    slots: int, service_sec: float
) -> None:
    fleet = Fleet(hosts=4, slots=slots, network_sec=0.001)
    load = Load(rate=0.0, service_sec=service_sec, backlog=50_000)
    found = seen(fleet, load, 40.0)
    most = capacity(fleet, load, replace(COSTS, enqueue_sec=0.0)).runs_per_sec
    assert found.ended_per_sec == pytest.approx(most, rel=0.1)


def test_what_waits_is_carried_out_by_hosts_that_nobody_asks() -> None:
    """All of a burst comes to one host, which would need ten seconds: the others hear of it."""
    fleet, load = Fleet(hosts=4, slots=2), Load(rate=0.4, burst=40, service_sec=0.5)
    found = seen(fleet, load, 2_000.0)
    assert found.ended_per_sec > 0.0
    assert found.wait_p50_sec < 3.0


def test_lines_and_monitors_cost_what_they_are_said_to() -> None:
    fleet, load = Fleet(hosts=2, slots=64, monitors=50), Load(rate=100.0, lines=20.0)
    found = seen(fleet, load, 8.0)
    shown, heard = 20.0 * 50 * COSTS.message_sec, 1.5 * COSTS.hear_sec
    assert found.loop_busy == pytest.approx(100.0 * (shown + heard), rel=0.1)
    quiet = seen(fleet, Load(rate=100.0), 8.0)
    assert found.turn_busy > quiet.turn_busy


@pytest.mark.parametrize("hosts", [2, 4, 25])
def test_an_answer_of_a_busy_host_takes_half_a_cycle_and_its_turn(hosts: int) -> None:
    fleet, load = Fleet(hosts, slots=64), Load(rate=600.0)
    assert seen(fleet, load, 5.0).answer_sec == pytest.approx(
        answer_sec(fleet, load, COSTS), rel=0.05
    )


def test_a_thousand_workers_and_a_hundred_thousand_runs_a_second() -> None:
    """One turn is far from enough; with as many as the formula says, all that comes is claimed."""
    load = Load(rate=100_000.0, service_sec=0.02)
    one = Fleet(hosts=250, slots=64)
    assert capacity(one, load, COSTS).first == TURN
    behind = World(one, load, COSTS).run(0.3)
    assert behind.ended_per_sec < 0.05 * load.rate

    databases = databases_for(one, replace(load, rate=1.25 * load.rate), COSTS, within_sec=0.08)
    spread = replace(one, databases=databases)
    found = World(spread, load, COSTS).run(0.25, warm_up=0.25)
    assert found.ended_per_sec == pytest.approx(load.rate, rel=0.05)
    assert found.left_waiting < 0.1 * load.rate
