"""Traces for OpenTelemetry: spans of requests, attempts and steps, made by the server alone.

May import settings, model, and of `tracing` the rest when it is wanted. docs/decisions/0033.
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aura_aio.model.clock import Clock
from aura_aio.model.errors import SettingsError
from aura_aio.settings import TraceSettings

if TYPE_CHECKING:
    from aura_aio.tracing.spans import Spans

__all__ = ["tracing"]

LEAVE_SEC: Final = 2.0
"""How long the last spans may take to be sent when the server ends."""
_PATH: Final = "/v1/traces"


@asynccontextmanager
async def tracing(
    settings: TraceSettings, version: str, clock: Clock
) -> "AsyncIterator[Spans | None]":
    """What makes spans and sends them while the context is open; None, and nothing is imported, if
    the settings do not want it. `version` is that of the server.

    A receiver that is slow or away delays nothing: spans wait for it in a bounded queue, are sent
    by a thread, and are dropped when the queue is full, or when the server ends.

    Raises:
        SettingsError: the endpoint is no address; or OpenTelemetry is not installed.
    """
    if not settings.otel_endpoint:
        yield None
        return
    endpoint = _endpoint(settings.otel_endpoint)
    spans = await asyncio.to_thread(_begin, endpoint, version, clock)
    try:
        yield spans if spans.wanted else None
    finally:
        await _leave(spans)


def _endpoint(address: str) -> str:
    """Where spans are sent: OTLP has a path for them, which need not be given."""
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(
            f"otel_endpoint: {address!r} is no address of a collector, like http://127.0.0.1:4318."
        )
    address = address.rstrip("/")
    return address if address.endswith(_PATH) else address + _PATH


def _begin(endpoint: str, version: str, clock: Clock) -> "Spans":
    try:
        from aura_aio.tracing.spans import Spans  # noqa: PLC0415 - only when it is wanted
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "opentelemetry":
            raise
        raise SettingsError(
            "otel_endpoint is set, and OpenTelemetry is not installed: pip install 'aura-aio[otel]'"
        ) from error
    return Spans(endpoint, version, clock)


async def _leave(spans: "Spans") -> None:
    """Send what waits, but not for longer than `LEAVE_SEC`.

    By a thread that nobody joins: one of the loop's would hold up the end of the process for as
    long as the receiver takes.
    """
    loop, left = asyncio.get_running_loop(), asyncio.Event()

    def leave() -> None:
        spans.shut_down()
        with suppress(RuntimeError):  # the loop is closed: it has taken too long
            loop.call_soon_threadsafe(left.set)

    threading.Thread(target=leave, name="last-spans", daemon=True).start()
    with suppress(TimeoutError):
        async with asyncio.timeout(LEAVE_SEC):
            await left.wait()
