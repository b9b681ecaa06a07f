"""A collector of OpenTelemetry on a real port: takes spans by OTLP over HTTP, and keeps them.

Imports aiohttp, the messages of OTLP and the standard library.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from tests.waiting import until


class Kept:
    """A span as it came, its ids in hexadecimal digits."""

    def __init__(self, span: Any) -> None:
        self.name: str = span.name
        self.kind: str = span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_")
        self.trace_id: str = span.trace_id.hex()
        self.id: str = span.span_id.hex()
        self.parent_id: str = span.parent_span_id.hex()
        self.state: str = span.trace_state
        self.attributes = _values(span.attributes)
        self.failed: bool = span.status.code == span.status.STATUS_CODE_ERROR
        self.message: str = span.status.message
        self.events = [_values(event.attributes) for event in span.events]
        self.began, self.ended = span.start_time_unix_nano, span.end_time_unix_nano


def _values(attributes: list[KeyValue]) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value")
        for each in attributes
    }


class Collector:
    """Keeps what it is sent, and answers once `open` is set."""

    def __init__(self) -> None:
        self.url = ""
        self.spans: list[Kept] = []
        self.about: dict[str, Any] = {}
        self.headers: dict[str, str] = {}
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()

    async def take(self, request: web.Request) -> web.Response:
        """Keep the spans of a request."""
        self.asked += 1
        self.headers = dict(request.headers)
        sent = ExportTraceServiceRequest.FromString(await request.read())
        await self.open.wait()
        for resource in sent.resource_spans:
            self.about = _values(list(resource.resource.attributes))
            for scope in resource.scope_spans:
                self.spans.extend(Kept(span) for span in scope.spans)
        return web.Response(
            body=ExportTraceServiceResponse().SerializeToString(),
            content_type="application/x-protobuf",
        )

    async def came(self, *names: str, trace_id: str) -> dict[str, Kept]:
        """Wait for spans with these names in the trace; all of it, by name."""

        def found() -> dict[str, Kept]:
            return {span.name: span for span in self.spans if span.trace_id == trace_id}

        await until(lambda: set(names) <= found().keys(), within=20)
        return found()


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector on a free port of this machine."""
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield collector
    finally:
        await runner.cleanup()
