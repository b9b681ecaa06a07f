"""`python scripts/bench.py`: which scenarios, how long, and where the figures go.

Imports the other benchmarks.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks import chart, on_postgres, page, peer, record, table
from benchmarks.batch import BATCH
from benchmarks.fanout import FANOUT
from benchmarks.health import HEALTH
from benchmarks.latency import LATENCY
from benchmarks.logs import LOGS
from benchmarks.noop import NOOP
from benchmarks.queue import QUEUE
from benchmarks.results import Result
from benchmarks.scenario import Asked, Scenario
from benchmarks.start import START
from benchmarks.steps import STEPS
from benchmarks.submit import SUBMIT

_IN_ORDER: Final = (SUBMIT, BATCH, NOOP, LATENCY, FANOUT, LOGS, QUEUE, STEPS, START, HEALTH)
SCENARIOS: Final = {
    "sqlite": {each.name: each for each in _IN_ORDER},
    "postgres": {each.name: each for each in (on_postgres.NOOP, on_postgres.LATENCY)},
}
"""By what holds the runs, and by name."""


def main() -> None:
    """Run the scenarios that were asked for, and show what came of them."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers and peers end with it
    parser = _parser()
    options = parser.parse_args()
    scenarios = SCENARIOS[options.backend]
    unknown = [name for name in options.scenarios if name not in scenarios]
    if unknown:
        parser.error(f"no scenario {', '.join(unknown)}; there is: {', '.join(scenarios)}")
    if options.peers:
        peer.install()
    if options.show is not None:
        results: Sequence[Result] = record.read(options.show)
    elif options.all or options.scenarios:
        names = list(scenarios) if options.all else options.scenarios
        asked = Asked(
            rounds=options.rounds, seconds=options.seconds, runs=options.runs, short=options.short
        )
        results = _measured([scenarios[name] for name in names], asked, options.json)
    elif options.publish:
        results = page.published()
    else:
        if not options.peers:
            parser.print_help()
        return
    if options.chart is not None:
        options.chart.write_text(chart.svg(results), "utf-8")
    if options.publish:
        page.publish(results)
    table.show(results)


def _measured(scenarios: Sequence[Scenario], asked: Asked, file: Path | None) -> list[Result]:
    """What they give; `file` has it as soon as each is done."""
    found: list[Result] = []
    for scenario in scenarios:
        print(f"{scenario.name}: {scenario.title} …", file=sys.stderr, flush=True)
        conditions = record.conditions()
        results = scenario.measure(asked)
        found += [msgspec.structs.replace(result, conditions=conditions) for result in results]
        if file is not None:
            record.write(file, record.merged(record.read(file), found))
    return found


def _parser() -> argparse.ArgumentParser:
    listed, on_postgresql = (
        "\n".join(f"  {each.name:<9} {each.title}" for each in scenarios.values())
        for scenarios in SCENARIOS.values()
    )
    parser = argparse.ArgumentParser(
        prog="scripts/bench.py",
        description=(
            f"Measures beside limits and peers, in turn. Scenarios:\n{listed}\n"
            f"With --backend postgres:\n{on_postgresql}"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("scenarios", nargs="*", help="what to measure")
    add("--backend", choices=tuple(SCENARIOS), default="sqlite", help="what holds the runs")
    add("--all", action="store_true", help="measure everything")
    add("--peers", action="store_true", help="install the peers first, into build/peers")
    add("--rounds", type=int, default=5, help="rounds of each side (5)")
    add("--seconds", type=float, default=3.0, help="length of a round that has one (3)")
    add("--runs", type=int, default=10_000, help="runs of a round that counts them (10,000)")
    add("--short", action="store_true", help="smaller sizes, to see that it works")
    add("--json", type=Path, help="put the results into this file, beside those of others there")
    add("--chart", type=Path, help="draw them into this file (SVG)")
    add("--publish", action="store_true", help="put the results into docs/explanation")
    add("--show", type=Path, help="measure nothing: show the results that this JSON file has")
    return parser


if __name__ == "__main__":
    main()
