"""Spans of OpenTelemetry: of requests as they are answered, of attempts and steps as they end.

May import opentelemetry, model and `tracing.ids` only.
"""

from typing import Final, NamedTuple

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    NoOpTracer,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from aura_aio.model.clock import Clock
from aura_aio.model.plan import StepStatus
from aura_aio.model.run import (
    CallRecord,
    Outcome,
    Run,
    RunChanged,
    RunError,
    StepRecord,
    Tasklet,
)
from aura_aio.model.spans import Attributes
from aura_aio.model.states import RunState
from aura_aio.model.trace import TraceContext, span_id
from aura_aio.tracing.ids import Ids

_UNDER_WAY: Final = frozenset({RunState.RUNNING, RunState.CANCELLING})
_LOST: Final = "lost"
"""The outcome of an attempt whose run is queued again."""
_NO_ERROR: Final = frozenset({RunState.SUCCEEDED.value, RunState.CANCELLED.value})
_FAILED: Final = frozenset({StepStatus.FAILED.value})


class _Attempt:
    """The span of an attempt under way; `began` says when each of its steps has that run now."""

    def __init__(self, tasklet: Tasklet, span: Span) -> None:
        self.number = tasklet.attempt
        self.span = span
        self.trace = _trace_of(span, tasklet.trace)
        self.began: dict[str, float] = {}
        self.error: RunError | None = None


class _Request(NamedTuple):
    """Implements `model.spans.RequestSpan`; an answer from `bad` on is an error."""

    span: Span
    trace: TraceContext
    clock: Clock
    bad: int

    def end(self, status: int | None) -> None:
        """It was answered with `status`; or not at all."""
        if status is not None:
            self.span.set_attribute("http.response.status_code", status)
        if status is None or status >= self.bad:
            self.span.set_attribute("error.type", "no answer" if status is None else str(status))
            self.span.set_status(StatusCode.ERROR)
        self.span.end(_ns(self.clock.now()))


class Spans:
    """Implements `model.spans.RequestSpans`, `CallbackSpans` and `RunSpans`.

    The SDK reads the variables that OpenTelemetry has for it by itself: for headers, sampling, the
    resource, sizes and times. A span that its sampler does not want is not sent, and what comes of
    it says so (the flag in `traceparent`).
    """

    def __init__(self, endpoint: str, version: str, clock: Clock) -> None:
        """Begin to send to `endpoint`; reads files, and starts a thread."""
        self._clock = clock
        self._ids = Ids()
        about = {"service.name": "aura-aio", "service.version": version}
        self._provider = TracerProvider(
            resource=Resource.create(about).merge(OTELResourceDetector().detect()),
            id_generator=self._ids,
            shutdown_on_exit=False,  # which would wait for the receiver
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
        self._tracer = self._provider.get_tracer("aura_aio", version)
        self._attempts: dict[str, _Attempt] = {}

    @property
    def wanted(self) -> bool:
        """Whether any are made: OTEL_SDK_DISABLED turns all of it off."""
        return not isinstance(self._tracer, NoOpTracer)

    def shut_down(self) -> None:
        """Send what waits, and end the thread; blocks for as long as the receiver takes."""
        self._provider.shutdown()

    def request(self, name: str, trace: TraceContext | None, attributes: Attributes) -> _Request:
        """Begin the span of a request that came with `trace`."""
        return self._request(name, SpanKind.SERVER, trace, attributes)

    def callback(self, run: Run) -> _Request | None:
        """Begin the span of a try to tell of the end of `run`, below that of its last attempt if
        there was one; None if the run belongs to no trace.
        """
        trace = run.trace
        if trace is None:
            return None
        if run.started_at is not None:
            trace = trace.within(span_id(run.cid, run.attempt))
        attributes = {"aura.run.cid": run.cid, "http.request.method": "POST"}
        return self._request("callback", SpanKind.CLIENT, trace, attributes)

    def attempt(self, tasklet: Tasklet, worker: str) -> TraceContext:
        """Begin the span of an attempt; a run that belongs to no trace has one of its own, whose id
        is that of the run.
        """
        now, trace = self._clock.now(), tasklet.trace
        attributes: dict[str, str | int | float] = {
            "aura.run.cid": tasklet.cid,
            "aura.run.attempt": tasklet.attempt,
            "aura.plan.name": tasklet.plan_name,
            "aura.task.name": tasklet.task_name,
            "aura.worker.name": worker,
        }
        if tasklet.attempt == 1:  # when a later one was queued the Tasklet does not know
            ready_at = max(tasklet.accepted_at, tasklet.run_at or 0.0)
            attributes["aura.run.queue_wait_sec"] = max(0.0, now - ready_at)
        if tasklet.parent_cid is not None:
            attributes["aura.run.parent_cid"] = tasklet.parent_cid
        if tasklet.retry_of is not None:
            attributes["aura.run.retry_of"] = tasklet.retry_of
        self._ids.next(span_id(tasklet.cid, tasklet.attempt), tasklet.cid.replace("-", ""))
        span = self._tracer.start_span(
            f"{tasklet.plan_name}/{tasklet.task_name}",
            _below(trace),
            SpanKind.CONSUMER,
            attributes,
            start_time=_ns(now),
        )
        begun = _Attempt(tasklet, span)
        self._attempts[tasklet.cid] = begun
        return begun.trace

    def step(self, record: StepRecord) -> None:
        """Make the span of a step that has ended, and of its calls; note one that has begun."""
        attempt = self._attempts.get(record.cid)
        if attempt is None or attempt.number != record.attempt or record.started_at is None:
            return
        if record.finished_at is None:
            attempt.began[record.step] = record.started_at
        else:
            attempt.began.pop(record.step, None)
            self._step(attempt, record, record.started_at, record.finished_at)

    def outcome(self, outcome: Outcome) -> None:
        """Note the error that an attempt has ended with."""
        attempt = self._attempts.get(outcome.cid)
        if attempt is not None and attempt.number == outcome.attempt:
            attempt.error = outcome.error

    def run_changed(self, fact: RunChanged) -> None:
        """End the span of an attempt that has ended; what its steps have not told is lost."""
        if fact.source not in _UNDER_WAY or fact.target in _UNDER_WAY:
            return
        attempt = self._attempts.pop(fact.cid, None)
        if attempt is None:
            return
        for name, began in attempt.began.items():
            record = StepRecord(fact.cid, attempt.number, name, _LOST, began, fact.at)
            self._step(attempt, record, began, fact.at)
        outcome = _LOST if fact.target is RunState.QUEUED else fact.target.value
        span = attempt.span
        span.set_attribute("aura.run.outcome", outcome)
        if outcome not in _NO_ERROR:
            _tell(span, attempt.error or RunError("WorkerLost", "The worker was lost."), fact.at)
        span.end(_ns(fact.at))

    def _request(
        self, name: str, kind: SpanKind, trace: TraceContext | None, attributes: Attributes
    ) -> _Request:
        begins = _ns(self._clock.now())
        span = self._tracer.start_span(name, _below(trace), kind, attributes, start_time=begins)
        # Who asks for what is not there is wrong; to this server, that is no error of its own.
        bad = 500 if kind is SpanKind.SERVER else 400
        return _Request(span, _trace_of(span, trace), self._clock, bad)

    def _step(
        self, attempt: _Attempt, record: StepRecord, started_at: float, finished_at: float
    ) -> None:
        self._ids.next(span_id(record.cid, record.attempt, record.step))
        step = self._tracer.start_span(
            record.step,
            set_span_in_context(attempt.span, Context()),
            attributes={
                "aura.run.cid": record.cid,
                "aura.step.name": record.step,
                "aura.step.status": record.status,
                "aura.step.tries": record.tries,
            },
            start_time=_ns(started_at),
        )
        for call in record.calls:
            self._call(step, call)
        if record.error is not None:
            _tell(step, record.error, finished_at)
        elif record.status == _LOST:
            step.set_status(StatusCode.ERROR, "The worker was lost.")
        step.end(_ns(finished_at))

    def _call(self, step: Span, call: CallRecord) -> None:
        attributes: dict[str, str | int] = {"aura.try.number": call.tried}
        name = f"try {call.tried}"
        if call.loop_index is not None:
            attributes["aura.loop.index"] = call.loop_index
            name = f"turn {call.loop_index}, {name}"
        span = self._tracer.start_span(
            name,
            set_span_in_context(step, Context()),
            attributes=attributes,
            start_time=_ns(call.started_at),
        )
        if call.status in _FAILED:
            span.set_status(StatusCode.ERROR)
        span.end(_ns(call.finished_at))


def _tell(span: Span, error: RunError, at: float) -> None:
    """Let a span say what went wrong, as the conventions for exceptions have it."""
    attributes = {"exception.type": error.type, "exception.message": error.message}
    if error.traceback is not None:
        attributes["exception.stacktrace"] = error.traceback
    span.add_event("exception", attributes, _ns(at))
    span.set_attribute("error.type", error.type)
    span.set_status(Status(StatusCode.ERROR, f"{error.type}: {error.message}"))


def _below(trace: TraceContext | None) -> Context:
    """The context of a span that belongs to `trace`, or to a new one."""
    if trace is None:
        return Context()
    _, trace_id, parent, flags = trace.parent.split("-")
    place = SpanContext(
        int(trace_id, 16),
        int(parent, 16),
        is_remote=True,
        trace_flags=TraceFlags(int(flags, 16)),
        trace_state=TraceState.from_header([trace.state] if trace.state else []),
    )
    return set_span_in_context(NonRecordingSpan(place), Context())


def _trace_of(span: Span, trace: TraceContext | None) -> TraceContext:
    """Where what is below `span` belongs, which itself is below `trace`."""
    state = None if trace is None else trace.state
    place = span.get_span_context()
    sampled = place.trace_flags & TraceFlags.SAMPLED
    return TraceContext(f"00-{place.trace_id:032x}-{place.span_id:016x}-{sampled:02x}", state)


def _ns(at: float) -> int:
    return int(at * 1e9)
