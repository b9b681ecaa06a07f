"""`python scripts/simulate.py`: measure, or simulate a fleet, or show the tables of the page.

Imports its neighbours; `measuring` only to measure.
"""

import argparse

import msgspec

from simulation import costs, page
from simulation.capacity import capacity, cycle_sec
from simulation.world import Fleet, Load, World


def main() -> None:
    """Do what was asked for."""
    options = _parser().parse_args()
    if options.measure:
        from simulation.measuring import measure  # noqa: PLC0415 - needs a PostgreSQL

        costs.write(measure(options.rounds))
    if options.publish:
        page.publish(costs.read())
    if not (options.measure or options.publish):
        _simulate(options)


def _simulate(options: argparse.Namespace) -> None:
    fleet = Fleet(
        hosts=options.hosts,
        slots=options.slots,
        databases=options.databases,
        network_sec=options.network_ms / 1000,
        monitors=options.monitors,
    )
    load = Load(options.rate, options.burst, options.service_ms / 1000, options.lines)
    known = costs.read().costs
    world = World(fleet, load, known, seed=options.seed)
    seen = world.run(options.seconds, warm_up=options.seconds / 2)
    for name, value in msgspec.structs.asdict(seen).items():
        print(f"{name:<22} {value:,.4g}")
    print(
        f"\nin formulas: a cycle of {cycle_sec(fleet, load, known):.4g} s; runs per second at most"
    )
    for name, most in capacity(fleet, load, known).limits.items():
        print(f"  {name:<20} {most:,.4g}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/simulate.py",
        description="Simulates hosts that take turns on shared databases, with what transactions "
        "of the real store cost (docs/explanation/scale.md).",
    )
    add = parser.add_argument
    add("--hosts", type=int, default=4, help="hosts (4)")
    add("--slots", type=int, default=64, help="slots of each, of all its workers (64)")
    add("--databases", type=int, default=1, help="databases that share hosts and runs (1)")
    add("--rate", type=float, default=100.0, help="runs per second that come to all hosts (100)")
    add("--burst", type=int, default=1, help="how many of them come at once (1)")
    add("--service-ms", type=float, default=100.0, help="how long a run takes, in the mean (100)")
    add("--lines", type=float, default=0.0, help="lines that a run logs (0)")
    add("--monitors", type=int, default=0, help="monitors of each host, which get every line (0)")
    add("--network-ms", type=float, default=0.0, help="to the database and back (0)")
    add("--seconds", type=float, default=10.0, help="how long, after half as long before (10)")
    add("--seed", type=int, default=1, help="the same gives the same again (1)")
    add("--measure", action="store_true", help="measure the costs on a PostgreSQL of its own first")
    add("--rounds", type=int, default=10, help="so many rounds of that, of which the least (10)")
    add("--publish", action="store_true", help="put tables into docs/explanation/scale.md")
    return parser


if __name__ == "__main__":
    main()
