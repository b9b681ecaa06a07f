"""`python scripts/bench.py`: which scenarios, how long, and where the figures go.

Imports the other benchmarks.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.health import health
from benchmarks.noop import noop
from benchmarks.results import Result, show
from benchmarks.steps import steps
from benchmarks.submit import submit


def main() -> None:
    """Run the scenarios that were asked for, print the table, then the JSON."""
    parser = argparse.ArgumentParser(prog="scripts/bench.py", description=__doc__)
    parser.add_argument("scenarios", nargs="*", help="submit, noop, steps, health (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each side (5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a round (3)")
    parser.add_argument("--runs", type=int, default=10_000, help="runs per round of noop (10,000)")
    parser.add_argument("--json", type=Path, help="write the JSON to this file instead")
    options = parser.parse_args()
    scenarios: dict[str, Callable[[], Sequence[Result]]] = {
        "submit": lambda: [submit(rounds=options.rounds, seconds=options.seconds)],
        "noop": lambda: [noop(rounds=options.rounds, runs=options.runs)],
        "steps": lambda: steps(rounds=options.rounds),
        "health": lambda: [health(rounds=options.rounds)],
    }
    chosen = options.scenarios or list(scenarios)
    unknown = [name for name in chosen if name not in scenarios]
    if unknown:
        parser.error(f"no scenario {', '.join(unknown)}; there is: {', '.join(scenarios)}")
    results = [result for name in chosen for result in scenarios[name]()]
    show(results)
    text = json.dumps([result.summary() for result in results], indent=2)
    if options.json:
        options.json.write_text(text + "\n", "utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
