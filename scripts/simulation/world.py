"""Hosts that take turns on shared databases, event by event: a transaction is one, a run is none.

Imports the standard library, msgspec, simpy and `simulation.costs`.
"""

import heapq
from collections import deque
from collections.abc import Generator, Sequence
from math import inf
from random import Random
from statistics import fmean, quantiles
from typing import Any, Final

import msgspec
import simpy

from simulation.costs import Costs

Steps = Generator[simpy.Event, Any, None]

MOST_CLAIMED: Final = 64
"""A claim asks for so many runs at the most (`dispatch.slots`)."""
MOST_IN_FLIGHT: Final = 100
"""A server answers so many requests at a time; others get a 503 (`max_in_flight`)."""
FACTS_OF_A_RUN: Final = 3


class Fleet(msgspec.Struct, frozen=True):
    """So many hosts, with so many slots each, on `databases` that have the same share of them.

    `network_sec` is the way to the database and back. Each host beats every `beat_sec`, and has
    `monitors` that get every line.
    """

    hosts: int
    slots: int
    databases: int = 1
    network_sec: float = 0.0
    beat_sec: float = 2.5
    monitors: int = 0


class Load(msgspec.Struct, frozen=True):
    """Runs per second over all hosts, in bursts of so many at once; each takes `service_sec` in the
    mean and logs so many lines. `backlog` of them wait at the beginning, on each database.
    """

    rate: float
    burst: int = 1
    service_sec: float = 0.0
    lines: float = 0.0
    backlog: int = 0


class Seen(msgspec.Struct, frozen=True):
    """What was seen: `cycle_sec` is the mean time from one transaction of a host to its next one,
    `answer_sec` the mean from a run's arrival until it is stored; `wait_p50_sec` and `wait_p99_sec`
    are until it is claimed; `turn_busy` and
    `loop_busy` are shares of the time, of the busiest. `loop_busy` above 1 is work that piles up.
    """

    ended_per_sec: float
    refused_per_sec: float
    transactions_per_sec: float
    cycle_sec: float
    answer_sec: float
    wait_p50_sec: float
    wait_p99_sec: float
    turn_busy: float
    loop_busy: float
    left_waiting: int


class _Arrivals:
    """Comes to a host by chance, whatever came before."""

    def __init__(self, rate: float, burst: int, random: Random) -> None:
        self._bursts = rate / burst
        self._burst = burst
        self._random = random
        self.next = self._later(0.0)

    def until(self, now: float) -> list[float]:
        """When those came that have come by `now`, and were not told of yet."""
        came: list[float] = []
        while self.next <= now:
            came += [self.next] * self._burst
            self.next = self._later(self.next)
        return came

    def _later(self, than: float) -> float:
        return than + self._random.expovariate(self._bursts) if self._bursts else inf


class _Database:
    """A turn, and the runs that wait."""

    def __init__(self, env: simpy.Environment, backlog: int) -> None:
        self.turn = simpy.Resource(env)
        self.waiting = deque([0.0] * backlog)
        self.hosts: list[_Host] = []
        self.busy_sec = 0.0


class _Host:
    """What a host has to write, and how far its loop is behind."""

    def __init__(
        self, database: _Database, arrivals: _Arrivals, slots: int, burst: int, beat_at: float
    ) -> None:
        self.database = database
        self.free = slots
        self.arrivals = arrivals
        self.beat_at = beat_at
        self.ends: list[float] = []
        self.looks = bool(database.waiting)
        """Whether the next transaction claims."""
        self.has_room = False
        """Whether the last claim has left slots free."""
        self.wake: simpy.Event | None = None
        self.loop_free_at = 0.0
        self.loop_sec = 0.0
        self.came: list[float] = []
        """Those that are in flight: not in a transaction yet, or in one that is not committed."""
        self.refused = 0
        self.ended = 0
        self._most = MOST_IN_FLIGHT * burst

    def due(self) -> float:
        """When there is something to write, as far as it knows."""
        if self.came or (self.looks and self.free):
            return self.loop_free_at
        due = min(self.arrivals.next, self.beat_at)
        if self.ends:
            due = min(due, self.ends[0])
        return max(due, self.loop_free_at)

    def take(self, now: float) -> None:
        """Take all that waits to be written, beside what was taken already."""
        self.receive(now)
        ended = 0
        while self.ends and self.ends[0] <= now:
            heapq.heappop(self.ends)
            ended += 1
        self.free += ended
        self.ended += ended
        if self.came or (ended and not self.has_room):
            self.looks = True

    def receive(self, now: float) -> None:
        """Take in what has come, as far as there is room."""
        came = self.arrivals.until(now)
        room = max(0, self._most - len(self.came))
        self.came += came[:room]
        self.refused += len(came[room:])

    def answer(self, count: int, now: float) -> None:
        """The first so many of those that are in flight are answered."""
        self.receive(now)
        del self.came[:count]

    def work(self, sec: float, now: float) -> None:
        """Its loop has so much more to do."""
        self.loop_free_at = max(self.loop_free_at, now) + sec
        self.loop_sec += sec


class World:
    """The fleet under its load, from the same `seed` always the same."""

    def __init__(self, fleet: Fleet, load: Load, costs: Costs, *, seed: int = 1) -> None:
        self._fleet = fleet
        self._load = load
        self._costs = costs
        self._fixed = costs.fixed_sec(fleet.network_sec)
        self._random = Random(seed)  # noqa: S311 - to be the same again is what is wanted
        self._env = simpy.Environment()
        self._databases = [_Database(self._env, load.backlog) for _ in range(fleet.databases)]
        for number in range(fleet.hosts):
            self._add(self._databases[number % fleet.databases])
        self._ended = self._transactions = 0
        self._waits: list[float] = []
        self._answers: list[float] = []

    def run(self, seconds: float, *, warm_up: float = 0.0) -> Seen:
        """Let it go on for so long, and tell what was seen after `warm_up`."""
        if warm_up:
            self._env.run(warm_up)
            self._forget()
        self._env.run(warm_up + seconds)
        hosts = [host for database in self._databases for host in database.hosts]
        rate = self._transactions / seconds
        half, most = _quantiles(self._waits)
        return Seen(
            ended_per_sec=self._ended / seconds,
            refused_per_sec=sum(each.refused for each in hosts) / seconds,
            transactions_per_sec=rate,
            cycle_sec=len(hosts) / rate if rate else inf,
            answer_sec=fmean(self._answers) if self._answers else inf,
            wait_p50_sec=half,
            wait_p99_sec=most,
            turn_busy=max(each.busy_sec for each in self._databases) / seconds,
            loop_busy=max(each.loop_sec for each in hosts) / seconds,
            left_waiting=sum(len(each.waiting) for each in self._databases),
        )

    def _add(self, database: _Database) -> None:
        fleet, load = self._fleet, self._load
        arrivals = _Arrivals(load.rate / fleet.hosts, load.burst, self._random)
        beat_at = self._random.uniform(0.0, fleet.beat_sec)
        host = _Host(database, arrivals, fleet.slots, load.burst, beat_at)
        database.hosts.append(host)
        self._env.process(self._transact(host))

    def _forget(self) -> None:
        self._ended = self._transactions = 0
        self._waits, self._answers = [], []
        for database in self._databases:
            database.busy_sec = 0.0
            for host in database.hosts:
                host.loop_sec, host.refused = 0.0, 0

    def _transact(self, host: _Host) -> Steps:
        """One transaction after the other, whenever there is something for it: it takes what waits
        when its turn has come.
        """
        env, database = self._env, host.database
        while True:
            yield from self._something_to_do(host)
            with database.turn.request() as turn:
                yield turn
                host.take(env.now)
                came = tuple(host.came)
                ended, host.ended = host.ended, 0
                database.waiting.extend(came)
                claimed = self._claimed(host)
                cost = self._cost(len(came), len(claimed), ended)
                yield env.timeout(cost)
                database.busy_sec += cost
            self._committed(host, came, claimed, ended)

    def _something_to_do(self, host: _Host) -> Steps:
        env = self._env
        while (due := host.due()) > env.now:
            host.wake = env.event()
            yield host.wake | env.timeout(due - env.now)
        host.wake = None

    def _claimed(self, host: _Host) -> list[float]:
        """When those came that this transaction lets start."""
        if not host.looks:
            return []
        asked = min(host.free, MOST_CLAIMED)
        waiting = host.database.waiting
        claimed = [waiting.popleft() for _ in range(min(asked, len(waiting)))]
        host.free -= len(claimed)
        host.has_room = len(claimed) < asked
        host.looks = not host.has_room and host.free > 0
        return claimed

    def _cost(self, came: int, claimed: int, ended: int) -> float:
        costs = self._costs
        end_sec = costs.end_sec + self._load.lines * costs.line_sec
        return self._fixed + came * costs.enqueue_sec + claimed * costs.claim_sec + ended * end_sec

    def _committed(
        self, host: _Host, came: Sequence[float], claimed: Sequence[float], ended: int
    ) -> None:
        now, load = self._env.now, self._load
        host.answer(len(came), now)
        self._transactions += 1
        self._ended += ended
        self._answers += [now - at for at in came]
        self._waits += [now - at for at in claimed]
        if host.beat_at <= now:  # whatever is written, it is in it
            host.beat_at = now + self._fleet.beat_sec
        for _ in claimed:
            taken = self._random.expovariate(1 / load.service_sec) if load.service_sec else 0.0
            heapq.heappush(host.ends, now + taken)
        self._heard(host, len(came) + len(claimed) + ended, ended * load.lines)
        if len(came) > len(claimed):
            self._tell(host)

    def _heard(self, host: _Host, facts: int, lines: float) -> None:
        """What is announced is work for the loops of all."""
        shown = lines * self._fleet.monitors * self._costs.message_sec
        for each in host.database.hosts:
            heard = 0.0 if each is host else facts * self._costs.hear_sec
            each.work(heard + shown, self._env.now)

    def _tell(self, host: _Host) -> None:
        """Runs have come that still wait: who has room looks."""
        for each in host.database.hosts:
            if each is host or not each.free:
                continue
            each.looks = True
            if each.wake is not None and not each.wake.triggered:
                each.wake.succeed()


def _quantiles(values: Sequence[float]) -> tuple[float, float]:
    """The half and the hundredth-largest."""
    if len(values) < 2:
        return (values[0], values[0]) if values else (inf, inf)
    cuts = quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98]
