"""The same in formulas: what each part can do, and what follows from it.

Imports the standard library, msgspec, `simulation.costs` and `simulation.world` (what a fleet is).
"""

from math import ceil, inf, sqrt
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
    """Runs per second over all hosts: what each part can do by itself at the most, and what all of
    it can do, since slots wait for turns.
    """

    limits: dict[str, float]
    runs_per_sec: float

    @property
    def first(self) -> str:
        """What saturates first."""
        return min(self.limits, key=lambda name: self.limits[name])


def cycle_sec(fleet: Fleet, load: Load, costs: Costs) -> float:
    """From one transaction of a busy host to its next, on the average (that of a polling system,
    which does not depend on how the work is spread); without end when there is too much of it.
    """
    hosts = fleet.hosts / fleet.databases
    busy = load.rate / fleet.databases * costs.run_sec(load.lines)
    return hosts * costs.fixed_sec(fleet.network_sec) / (1.0 - busy) if busy < 1.0 else inf


def answer_sec(fleet: Fleet, load: Load, costs: Costs) -> float:
    """From when something has come to a busy host until it is stored, on the average: half a cycle
    until its turn, and the turn, which is the share of one host in a cycle.
    """
    return cycle_sec(fleet, load, costs) * (0.5 + fleet.databases / fleet.hosts)


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


def slots_in_turns_give(fleet: Fleet, load: Load, costs: Costs) -> float:
    """Runs per second of all databases when no slot is free for longer than it has to be: each is
    held while its run goes on, and for as long as an answer takes: until the turn of its host, in
    which another run is claimed, is over. A cycle is the longer the more runs there are, so an
    equation of the second degree: X · (S + (1/2 + 1/H) · H·F / (1 - X·c)) = H·w. Runs that take no
    time are taken at once: for them it is that of full turns.
    """
    if not load.service_sec:
        return full_turns_give(fleet, load, costs)
    hosts = fleet.hosts / fleet.databases
    slots = hosts * fleet.slots
    each = costs.run_sec(load.lines)
    held = load.service_sec + (hosts / 2 + 1) * costs.fixed_sec(fleet.network_sec)
    linear, square = held + slots * each, load.service_sec * each
    return fleet.databases * 2 * slots / (linear + sqrt(linear**2 - 4 * square * slots))


def capacity(fleet: Fleet, load: Load, costs: Costs) -> Capacity:
    """What each part can do at the most."""
    hosts = fleet.hosts / fleet.databases
    heard = FACTS_OF_A_RUN * (1 - 1 / hosts) * costs.hear_sec
    shown = load.lines * fleet.monitors * costs.message_sec
    limits = {
        TURN: full_turns_give(fleet, load, costs),
        SLOTS: fleet.hosts * fleet.slots / load.service_sec if load.service_sec else inf,
        HEARING: fleet.databases / heard if heard else inf,
        MONITORS: fleet.databases / shown if shown else inf,
    }
    return Capacity(limits, min(slots_in_turns_give(fleet, load, costs), *limits.values()))


def databases_for(fleet: Fleet, load: Load, costs: Costs, *, within_sec: float) -> int:
    """How many databases the load needs, the hosts spread over them, if each host is to have its
    turn within that time; 0 if one for each host is not enough. Hosts get equal shares of the runs,
    so what counts is the database with the most hosts.
    """
    for databases in range(1, fleet.hosts + 1):
        most = ceil(fleet.hosts / databases)
        fullest = replace(fleet, hosts=most, databases=1)
        share = replace(load, rate=load.rate * most / fleet.hosts)
        if (
            cycle_sec(fullest, share, costs) <= within_sec
            and capacity(fullest, share, costs).runs_per_sec >= share.rate
        ):
            return databases
    return 0
