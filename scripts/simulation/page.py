"""The tables in docs/explanation/scale.md, from what was measured, formulas and the simulation.

Imports the standard library, msgspec, and its neighbours but those that measure.
"""

from collections.abc import Callable, Iterator, Sequence
from math import inf
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from simulation.capacity import (
    TURN,
    answer_sec,
    capacity,
    cycle_sec,
    databases_for,
    full_turns_give,
)
from simulation.costs import Costs, Measured
from simulation.world import Fleet, Load, World

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "scale.md"
_BEGIN: Final = "<!-- begin: {} -->\n"
_END: Final = "<!-- end: {} -->\n"

WORKERS_OF_A_HOST: Final = 4
SLOTS_OF_A_WORKER: Final = 16
NETWORK_SEC: Final = 0.0005
LINES: Final = 2.0
SERVICE_SEC: Final = 0.1
CYCLE_SEC: Final = 0.25
"""How long a host may wait for its next turn, where databases are counted."""

Table = Iterator[Sequence[str]]


def publish(measured: Measured, file: Path = PAGE) -> None:
    """Put every table into its place in the page.

    Raises:
        ValueError: the page has no such place.
    """
    text = file.read_text("utf-8")
    for name, table in TABLES.items():
        text = _replaced(text, name, _markdown(table(measured)))
    file.write_text(text, "utf-8", newline="\n")


def fleet_of(workers: int, databases: int = 1) -> Fleet:
    """Hosts with so many workers in all, on a network."""
    hosts = max(1, workers // WORKERS_OF_A_HOST)
    slots = SLOTS_OF_A_WORKER * min(workers, WORKERS_OF_A_HOST)
    return Fleet(hosts, slots, databases, NETWORK_SEC)


def load_of(rate: float) -> Load:
    """Runs of a usual kind."""
    return Load(rate, service_sec=SERVICE_SEC, lines=LINES)


def _costs(measured: Measured) -> Table:
    """What was measured, and at which sizes."""
    yield "operations in a transaction", "1", "10", "100", "500"
    kinds = {
        "enqueue": "runs queued, ms",
        "claim": "runs claimed, ms",
        "end": "runs ended, with a step each, ms",
        "swap": "runs ended and as many claimed, ms",
        "lines": "lines logged, ms",
    }
    sec = {(each.kind, each.count): each.sec for each in measured.samples}
    for kind, title in kinds.items():
        yield title, *(f"{1000 * sec[kind, count]:.1f}" for count in (1, 10, 100, 500))


def _parameters(measured: Measured) -> Table:
    """What the model counts with."""
    costs = measured.costs
    yield "", "", "costs", "from"
    yield "*F*", "a turn by itself", f"{1000 * costs.turn_sec:.1f} ms", "measured, fitted"
    yield "*r*", "round trips in a turn", f"{costs.round_trips:.0f}", "measured"
    for sign, title, sec in (
        ("*q*", "a run is queued", costs.enqueue_sec),
        ("*a*", "a run is claimed", costs.claim_sec),
        ("*e*", "a run is ended, with a step", costs.end_sec),
        ("*l*", "a line is kept", costs.line_sec),
    ):
        yield sign, title, f"{1e6 * sec:.0f} µs", "measured, fitted"
    yield (
        "*h*",
        "a fact of another host is heard",
        f"{1e6 * costs.hear_sec:.1f} µs",
        ("decoding measured; told to listeners: [performance](performance.md)"),
    )
    yield (
        "*m*",
        "a line for a monitor",
        f"{1e6 * costs.message_sec:.2f} µs",
        ("[performance](performance.md), a hundred monitors"),
    )


def _checks(measured: Measured) -> Table:
    """The simulation beside real stores."""
    yield "hosts, slots of each", "measured, runs/s", "formula", "simulated", "simulated / measured"
    costs = replace(measured.costs, enqueue_sec=0.0)  # they are queued before
    for check in measured.checks:
        fleet = Fleet(check.hosts, check.slots, beat_sec=inf)
        load = Load(0.0, backlog=100_000)  # more than can be ended
        seen = World(fleet, load, costs).run(10.0)
        yield (
            f"{check.hosts}, {check.slots}",
            f"{check.runs_per_sec:,.0f}",
            f"{full_turns_give(fleet, load, costs):,.0f}",
            f"{seen.ended_per_sec:,.0f}",
            f"{seen.ended_per_sec / check.runs_per_sec:.2f}",
        )


def _turns(measured: Measured) -> Table:
    """What one turn gives, by how far away the database is and how many share a transaction."""
    yield "to the database and back", "*F* + *r·n*", "1 run a turn", "16", "64", "any number"
    for network_ms in (0.0, 0.2, 0.5, 1.0, 5.0):
        fleet = Fleet(1, 64, network_sec=network_ms / 1000)
        load = load_of(0.0)
        gives = [
            full_turns_give(replace(fleet, slots=slots), load, measured.costs)
            for slots in (1, 16, 64)
        ]
        gives.append(1 / measured.costs.run_sec(load.lines))
        fixed = measured.costs.fixed_sec(fleet.network_sec)
        yield f"{network_ms} ms", f"{1000 * fixed:.1f} ms", *(f"{each:,.0f}/s" for each in gives)


def _saturation(measured: Measured) -> Table:
    """Workers by rates, on one database."""
    yield (
        "workers (hosts)",
        "asked for",
        "at the most",
        "bound by",
        "ended",
        "refused",
        "turn busy",
        "answer",
        "wait p50",
        "wait p99",
    )
    for workers in (1, 10, 100, 1_000):
        for rate in (100, 1_000, 10_000, 100_000):
            yield _case(workers, float(rate), measured.costs)


def _case(workers: int, rate: float, costs: Costs) -> Sequence[str]:
    fleet, load = fleet_of(workers), load_of(rate)
    seconds = 90.0 if rate <= 1_000 else 20.0
    seen = World(fleet, load, costs).run(seconds, warm_up=seconds / 2)
    most = capacity(fleet, load, costs)
    behind = seen.ended_per_sec < 0.9 * rate or most.runs_per_sec < rate
    return (
        f"{workers:,} ({fleet.hosts})",
        f"{rate:,.0f}/s",
        f"{most.runs_per_sec:,.0f}/s",
        most.first,
        f"{seen.ended_per_sec:,.0f}/s",
        f"{seen.refused_per_sec:,.0f}/s",
        f"{min(1.0, seen.turn_busy):.0%}",
        _duration(seen.answer_sec),
        "grows" if behind else _duration(seen.wait_p50_sec),
        "grows" if behind else _duration(seen.wait_p99_sec),
    )


def _hosts(measured: Measured) -> Table:
    """What more hosts cost, at the same load."""
    yield "hosts", "cycle, formula", "simulated", "answer, formula", "simulated", "beats take"
    costs, load = measured.costs, load_of(100.0)
    for hosts in (1, 2, 5, 10, 25, 50, 100):
        fleet = Fleet(hosts, 64, network_sec=NETWORK_SEC)
        seen = World(fleet, load, costs).run(30.0, warm_up=10.0)
        beats = hosts / fleet.beat_sec * costs.fixed_sec(NETWORK_SEC)
        yield (
            f"{hosts}",
            _duration(cycle_sec(fleet, load, costs)),
            _duration(seen.cycle_sec),
            _duration(answer_sec(fleet, load, costs)),
            _duration(seen.answer_sec),
            f"{beats:.0%}",
        )


def _shards(measured: Measured) -> Table:
    """How many databases rates need."""
    yield "asked for", "times too much", "databases", "simulated", "turn busy", "wait p50", "p99"
    workers, costs = 1_000, measured.costs
    for rate in (1_000.0, 10_000.0, 100_000.0):
        one, load = fleet_of(workers), load_of(rate)
        needed = databases_for(one, load_of(1.15 * rate), costs, within_sec=CYCLE_SEC)
        times = rate / capacity(one, load, costs).limits[TURN]
        if not needed:
            yield f"{rate:,.0f}/s", f"{times:,.0f}", "more than hosts", "", "", "", ""
            continue
        seen = World(replace(one, databases=needed), load, costs).run(2.0, warm_up=2.0)
        yield (
            f"{rate:,.0f}/s",
            f"{times:,.1f}",
            f"{needed}",
            f"{seen.ended_per_sec:,.0f}/s",
            f"{min(1.0, seen.turn_busy):.0%}",
            _duration(seen.wait_p50_sec),
            _duration(seen.wait_p99_sec),
        )


def _rows(measured: Measured) -> Table:
    """What rows take."""
    yield "runs kept", "on disk, 2 lines each", "at 100 runs/s that is", "levels of an index by cid"
    each = measured.run.stored + LINES * measured.line.stored
    for exponent in (6, 7, 8, 9):
        count = 10**exponent
        days = count / 100 / 86_400
        levels, reach = 1, _KEYS_OF_A_PAGE
        while reach < count:
            levels, reach = levels + 1, reach * _KEYS_OF_A_PAGE
        time = f"{days:,.0f} days" if days >= 1 else f"{24 * days:.0f} hours"
        yield f"10^{exponent}", f"{count * each / 1e9:,.0f} GB", time, f"{levels}"


_KEYS_OF_A_PAGE: Final = 200
"""Of 8 KB, with cids of 26 letters: 36 bytes with what PostgreSQL adds, at nine tenths full."""


def _conditions(measured: Measured) -> Table:
    """When and where."""
    yield "measured", "system", "processors", "interpreter", "at the same time"
    yield tuple(measured.conditions.split(", "))


def _sizes(measured: Measured) -> Table:
    """What one of a kind leaves, and writes ahead."""
    yield "", "stored", "written ahead", "at 100 a second, written ahead"
    for title, size in (("a run", measured.run), ("a line", measured.line)):
        megabytes = 100 * size.logged_ahead / 1e6
        yield (
            title,
            f"{size.stored:,.0f} bytes",
            f"{size.logged_ahead:,.0f} bytes",
            f"{megabytes:.2f} MB/s",
        )


TABLES: Final[dict[str, Callable[[Measured], Table]]] = {
    "costs": _costs,
    "parameters": _parameters,
    "conditions": _conditions,
    "checks": _checks,
    "turns": _turns,
    "saturation": _saturation,
    "hosts": _hosts,
    "shards": _shards,
    "sizes": _sizes,
    "rows": _rows,
}


def _replaced(text: str, name: str, table: str) -> str:
    before, begin, rest = text.partition(_BEGIN.format(name))
    _, end, after = rest.partition(_END.format(name))
    if not begin or not end:
        raise ValueError(f"the page has no place for the table {name}")
    return f"{before}{begin}\n{table}\n{end}{after}"


def _markdown(table: Table) -> str:
    head, *rows = table
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _duration(sec: float) -> str:
    if sec == inf:
        return "without end"
    return f"{sec:.1f} s" if sec >= 1 else f"{1000 * sec:.0f} ms"
