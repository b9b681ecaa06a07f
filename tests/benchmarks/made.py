"""Results, made up.

Imports `benchmarks.results` of the scripts.
"""

from benchmarks.results import BEST_PEER, LIMIT, Bar, Conditions, Result, Side

CONDITIONS = Conditions("2026-03-02T10:00:00+00:00", "Linux x86_64", 2, "3.11.7", 0.1)


def more(figures: tuple[float, ...] = (500, 600, 550), *bars: Bar) -> Result:
    """Runs per second: more is better."""
    return Result(
        scenario="noop",
        unit="runs/s",
        ours=Side("Aura", "runs that do nothing", figures),
        limit=Side(LIMIT, "nothing but the loop", (1000, 1000, 1000)),
        peers=(Side("slow", "by mail", (10, 10, 10)), Side("quick", "by hand", (100, 200, 100))),
        absent={"gone": "it cannot be installed"},
        bars=bars or (Bar(0.5, LIMIT), Bar(2.5, BEST_PEER)),
    )


def less(figures: tuple[float, ...] = (2.0, 2.0, 2.0), *bars: Bar) -> Result:
    """Milliseconds: less is better."""
    return Result(
        scenario="latency",
        part="p50",
        unit="ms",
        ours=Side("Aura", "to the first line", figures),
        peers=(Side("slow", "by mail", (9, 9, 9)), Side("quick", "by hand", (4, 4, 4))),
        bars=bars or (Bar(1.0),),
        lower_is_better=True,
        conditions=CONDITIONS,
    )
