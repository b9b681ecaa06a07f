"""What Prometheus is told: figures of requests, the queue, runs, workers, the log and the store.

May import `run_figures`, prometheus_client, scheduler and model only.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from aura_aio.api.run_figures import RunFigures
from aura_aio.model.callback import CallbackTry
from aura_aio.scheduler.queue import QueueOverview
from aura_aio.scheduler.system import SystemStatus

MEDIA_TYPE: Final = "text/plain"
PAGE: Final = "page"
"""The operation of what is none."""


class Commits(msgspec.Struct, frozen=True):
    """Transactions of the store since the start, and how long their commits took together."""

    count: int
    seconds: float


class Metrics:
    """The figures of one server. Every label has a bounded number of values."""

    def __init__(self, commits: Callable[[], Commits]) -> None:
        self._commits = commits
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "aura_http_requests", "Requests that were answered.", ["operation", "status"],
            registry=registry,
        )  # fmt: skip
        self._request_seconds = Histogram(
            "aura_http_request_seconds", "How long answers took, those that are held included.",
            ["operation"], registry=registry,
        )  # fmt: skip
        self._figures: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        """Those of requests by operation and status: to find them costs more than to count."""
        self.run_changed = RunFigures(registry).run_changed
        self._callbacks = Counter(
            "aura_callback_tries", "Tries to deliver a callback, by what became of it then.",
            ["status"], registry=registry,
        )  # fmt: skip
        self._callback_seconds = Histogram(
            "aura_callback_seconds", "How long tries to deliver a callback took.",
            registry=registry,
        )  # fmt: skip
        self._gauges = {name: Gauge(name, text, registry=registry) for name, text in _GAUGES}
        self._workers = Gauge("aura_workers", "Workers.", ["state"], registry=registry)
        self._states = Gauge("aura_runs", "Runs in the store.", ["status"], registry=registry)

    def answered(self, operation: str, status: int, seconds: float) -> None:
        """Count an answer to the `operation` (or `PAGE`), and how long it took."""
        key = (operation, status)
        if key not in self._figures:
            self._figures[key] = (
                self._requests.labels(operation, status),
                self._request_seconds.labels(operation),
            )
        count, took = self._figures[key]
        count.inc()
        took.observe(seconds)

    def callback_tried(self, tried: CallbackTry) -> None:
        """Count a try to deliver a callback."""
        self._callbacks.labels(tried.status.value).inc()
        self._callback_seconds.observe(tried.duration_sec)

    def text(
        self, status: SystemStatus, overview: QueueOverview, monitors: int, turned_away: int
    ) -> bytes:
        """Everything, in the text format of Prometheus."""
        commits, log, counts = self._commits(), status.log_stream, status.counts
        figures = {
            "aura_uptime_seconds": status.uptime_sec,
            "aura_queue_ready": counts.ready,
            "aura_queue_delayed": counts.delayed,
            "aura_queue_wait_seconds_avg": counts.avg_wait_sec or 0.0,
            "aura_queue_wait_seconds_p95": counts.p95_wait_sec or 0.0,
            "aura_queue_oldest_age_seconds": overview.oldest_age_sec or 0.0,
            "aura_queue_paused": overview.pauses.since is not None,
            "aura_worker_slots": sum(worker.slots for worker in status.workers),
            "aura_worker_slots_busy": sum(worker.busy for worker in status.workers),
            "aura_http_turned_away": turned_away,
            "aura_log_monitors": monitors,
            "aura_log_lines_waiting": log.waiting,
            "aura_log_lines_stored": log.stored,
            "aura_log_lines_published": log.published,
            "aura_log_lines_dropped": log.dropped,
            "aura_log_lines_refused": log.refused,
            "aura_store_commits": commits.count,
            "aura_store_commit_seconds": commits.seconds,
        }
        for name, value in figures.items():
            self._gauges[name].set(value)
        self._workers.clear()
        for worker in status.workers:
            self._workers.labels(worker.state).inc()
        for state, count in counts.by_state.items():
            self._states.labels(state.value).set(count)
        return generate_latest(self._registry)


_GAUGES: Final = (
    ("aura_uptime_seconds", "How long the server is up."),
    ("aura_queue_ready", "Queued runs that could start now."),
    ("aura_queue_delayed", "Queued runs whose time is still to come."),
    ("aura_queue_wait_seconds_avg", "How long the latest runs waited, on average."),
    ("aura_queue_wait_seconds_p95", "How long 95 of 100 of the latest runs waited at the most."),
    ("aura_queue_oldest_age_seconds", "How long the oldest ready run has been ready."),
    ("aura_queue_paused", "1 while the queue as a whole is paused."),
    ("aura_worker_slots", "Runs that the workers can take at a time."),
    ("aura_worker_slots_busy", "Runs that they have."),
    ("aura_http_turned_away", "Connections and requests there was no room for since the start."),
    ("aura_log_monitors", "Monitors of the log that are connected."),
    ("aura_log_lines_waiting", "Log lines on their way into the store."),
    ("aura_log_lines_stored", "Log lines stored since the start."),
    ("aura_log_lines_published", "Log lines handed to monitors since the start."),
    ("aura_log_lines_dropped", "Log lines that slow monitors missed since the start."),
    ("aura_log_lines_refused", "Records of the server that found no room since the start."),
    ("aura_store_commits", "Transactions committed since the start."),
    ("aura_store_commit_seconds", "How long those of them took together that were answered."),
)
