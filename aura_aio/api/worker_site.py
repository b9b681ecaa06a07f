"""What `aura worker` answers, beside no API: whether it is alive and ready, and its figures.

May import aiohttp, prometheus_client, model, and of `api` `answers`, `metrics`, `problems` and
`run_figures`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from aura_aio.api import problems
from aura_aio.api.answers import NOT_KEPT, answer
from aura_aio.api.metrics import MEDIA_TYPE, Commits
from aura_aio.api.run_figures import RunFigures
from aura_aio.model.errors import AuraError, SettingsError
from aura_aio.model.ports import WorkerStatus


class Host(Protocol):
    """The host of workers that answers."""

    def check_alive(self) -> None:
        """Return if every part does its work, or raise NotAlive."""
        ...

    async def check_ready(self) -> None:
        """Return if it takes runs, or raise NotReady."""
        ...


class WorkerFigures:
    """The figures of one host of workers, by the names that servers give theirs."""

    def __init__(
        self, workers: Callable[[], Sequence[WorkerStatus]], commits: Callable[[], Commits]
    ) -> None:
        self._registry = CollectorRegistry()
        self.run_changed = RunFigures(self._registry).run_changed
        self._workers = Gauge("aura_workers", "Workers.", ["state"], registry=self._registry)
        self._all_workers = workers
        gauges: tuple[tuple[str, str, Callable[[], float]], ...] = (
            ("aura_worker_slots", "Runs that the workers can take at a time.", self._slots),
            ("aura_worker_slots_busy", "Runs that they have.", self._busy),
            (
                "aura_store_commits",
                "Transactions committed since the start.",
                lambda: commits().count,
            ),
            (
                "aura_store_commit_seconds",
                "How long those of them took together that were answered.",
                lambda: commits().seconds,
            ),
        )
        for name, text, value in gauges:
            Gauge(name, text, registry=self._registry).set_function(value)

    def _slots(self) -> float:
        return sum(worker.slots for worker in self._all_workers())

    def _busy(self) -> float:
        return sum(worker.busy for worker in self._all_workers())

    def text(self) -> bytes:
        """Everything, in the text format of Prometheus."""
        self._workers.clear()
        for worker in self._all_workers():
            self._workers.labels(worker.state).inc()
        return generate_latest(self._registry)


@asynccontextmanager
async def answering(address: str, host: Host, figures: WorkerFigures) -> AsyncIterator[None]:
    """Answer at `address` ("host:port") while the context is open.

    Raises:
        SettingsError: the address cannot be listened on.
    """
    name, _, port = address.rpartition(":")
    # Who asks for readiness may wait for a database that is away.
    runner = web.AppRunner(_app(host, figures), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, name.strip("[]"), int(port)).start()
        except (OSError, OverflowError) as error:
            told = f"--health-address {address} cannot be listened on: {error}."
            raise SettingsError(told) from error
        yield
    finally:
        await runner.cleanup()


def _app(host: Host, figures: WorkerFigures) -> web.Application:
    async def get_health(_: web.Request) -> web.Response:
        host.check_alive()
        return answer({"status": "ok"})

    async def get_readiness(_: web.Request) -> web.Response:
        await host.check_ready()
        return answer({"status": "ready"})

    async def get_metrics(_: web.Request) -> web.Response:
        return web.Response(
            body=figures.text(), content_type=MEDIA_TYPE, charset="utf-8", headers=NOT_KEPT
        )

    app = web.Application(middlewares=[_told])
    app.router.add_get("/healthz", get_health)
    app.router.add_get("/readyz", get_readiness)
    app.router.add_get("/metrics", get_metrics)
    return app


@web.middleware
async def _told(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except AuraError as error:
        return problems.response(problems.of_error(error), instance=request.path)
