"""What Prometheus is told of the runs that have ended in one process.

May import prometheus_client and model only.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from aura_aio.model.run import RunChanged

MOST_TASKS: Final = 200
"""Tasks that have figures of their own; the runs of all others are counted together."""
_OTHER: Final = ("other", "other")
_RUN_BUCKETS: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)


class RunFigures:
    """How many runs have ended how, and how long they took, by plan and task."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tasks: set[tuple[str, str]] = set()
        self._count = Counter(
            "aura_runs_finished", "Runs that have ended.", ["plan", "task", "status"],
            registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "aura_run_seconds", "How long runs took, from their claim to their end.",
            ["plan", "task"], buckets=_RUN_BUCKETS, registry=registry,
        )  # fmt: skip
        self._figures: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
        """By plan, task and status: to find them costs more than to count."""

    def run_changed(self, fact: RunChanged) -> None:
        """Count a run that has ended."""
        end = fact.ended
        if end is None:
            return
        key = (end.plan_name, end.task_name, fact.target.value)
        count, took = self._figures.get(key) or self._figures_of(*key)
        count.inc()
        if end.started_at is not None:
            took.observe(max(0.0, fact.at - end.started_at))

    def _figures_of(self, plan_name: str, task_name: str, status: str) -> tuple[Counter, Histogram]:
        task = (plan_name, task_name)
        has_own = task in self._tasks or len(self._tasks) < MOST_TASKS
        if has_own:
            self._tasks.add(task)
        else:
            task = _OTHER
        figures = self._count.labels(*task, status), self._seconds.labels(*task)
        if has_own:  # others may be any number
            self._figures[plan_name, task_name, status] = figures
        return figures
