"""The same in formulas: what each part can do, and what follows from it.

Imports the standard library, msgspec, `simulation.costs` and `simulation.world` (what a fleet is).
"""

from math import ceil, inf
from typing import Final

import msgspec
from msgspec.structs import replace

from simulation.costs import Costs
from simulation.world import FACTS_OF_A_RUN, MOST_CLAIMED, Fleet, Load

TURN: Final = "the turn"
SLOTS: Final = "the slots"
HEARING: Final = "hearing the others"
MONITORS: Final = "the monitors"


class Capacity(msgspec.Struct, frozen=True):
    """Runs per second over all hosts that each part can do at the most."""

    limits: dict[str, float]

    @property
    def first(self) -> str:
        """What saturates first."""
        return min(self.limits, key=lambda name: self.limits[name])

    @property
    def runs_per_sec(self) -> float:
        """What all of it can do."""
        return self.limits[self.first]


def turns_run_out_at(fleet: Fleet, load: Load, costs: Costs, *, cycle_sec: float = inf) -> float:
    """Runs per second that the turns of all databases have time for, if each host gets its turn
    within `cycle_sec`. Without a bound on that, what a turn costs in which nothing is done is
    spread over so many runs that it does not count.
    """
    hosts = fleet.hosts / fleet.databases
    spent = hosts * costs.fixed_sec(fleet.network_sec) / cycle_sec
    return fleet.databases * max(0.0, 1.0 - spent) / costs.run_sec(load.lines)


def cycle_sec(fleet: Fleet, load: Load, costs: Costs) -> float:
    """From one transaction of a busy host to its next, on the average (that of a polling system,
    which does not depend on how the work is spread); without end when there is too much of it.
    """
    hosts = fleet.hosts / fleet.databases
    busy = load.rate / fleet.databases * costs.run_sec(load.lines)
    return hosts * costs.fixed_sec(fleet.network_sec) / (1.0 - busy) if busy < 1.0 else inf


def runs_per_turn(fleet: Fleet) -> int:
    """As many as a transaction lets start at the most, and ends: the slots of its host, or what a
    claim asks for.
    """
    return min(fleet.slots, MOST_CLAIMED)


def full_turns_give(fleet: Fleet, load: Load, costs: Costs) -> float:
    """Runs per second of all databases when each transaction ends and starts as many as it can."""
    most = runs_per_turn(fleet)
    turn_sec = costs.fixed_sec(fleet.network_sec) + most * costs.run_sec(load.lines)
    return fleet.databases * most / turn_sec


def capacity(fleet: Fleet, load: Load, costs: Costs) -> Capacity:
    """What each part can do at the most."""
    hosts = fleet.hosts / fleet.databases
    heard = FACTS_OF_A_RUN * (1 - 1 / hosts) * costs.hear_sec
    shown = load.lines * fleet.monitors * costs.message_sec
    return Capacity(
        {
            TURN: full_turns_give(fleet, load, costs),
            SLOTS: fleet.hosts * fleet.slots / load.service_sec if load.service_sec else inf,
            HEARING: fleet.databases / heard if heard else inf,
            MONITORS: fleet.databases / shown if shown else inf,
        }
    )


def databases_for(rate: float, fleet: Fleet, load: Load, costs: Costs, *, cycle: float) -> int:
    """How many databases so many runs per second need, the hosts spread over them, if each host is
    to have its turn within `cycle` seconds; 0 if one for each host is not enough. Hosts get equal
    shares of the runs, so what counts is the database with the most hosts.
    """
    for databases in range(1, fleet.hosts + 1):
        most = ceil(fleet.hosts / databases)
        fullest = replace(fleet, hosts=most, databases=1)
        if turns_run_out_at(fullest, load, costs, cycle_sec=cycle) >= rate * most / fleet.hosts:
            return databases
    return 0
