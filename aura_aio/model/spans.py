"""The ports through which requests and runs become spans of a trace, where that is wanted.

May import other modules of `model` only.
"""

from collections.abc import Mapping
from typing import Protocol

from aura_aio.model.run import Outcome, Run, StepRecord, Tasklet
from aura_aio.model.trace import TraceContext

Attributes = Mapping[str, str | int | float]
"""What is known of a span, by names as OpenTelemetry has them."""


class RequestSpan(Protocol):
    """The span of a request until its answer: of one that came, or one that was sent."""

    @property
    def trace(self) -> TraceContext:
        """Where what comes of the request belongs."""
        ...

    def end(self, status: int | None) -> None:
        """It was answered with `status`; or not at all."""
        ...


class RequestSpans(Protocol):
    """Makes spans of requests; every call returns at once."""

    def request(self, name: str, trace: TraceContext | None, attributes: Attributes) -> RequestSpan:
        """Begin the span of a request that came with `trace`."""
        ...


class CallbackSpans(Protocol):
    """Makes spans of tries to call back; every call returns at once."""

    def callback(self, run: Run) -> RequestSpan | None:
        """Begin the span of a try to tell of the end of `run`; None if that belongs to no trace."""
        ...


class RunSpans(Protocol):
    """Makes spans of attempts and their steps; every call returns at once.

    The end of an attempt is heard from the event bus: how it ended is decided by the store.
    """

    def attempt(self, tasklet: Tasklet, worker: str) -> TraceContext:
        """Begin the span of an attempt that `worker` is given; answers where its steps belong."""
        ...

    def step(self, record: StepRecord) -> None:
        """Make the span of a step that has ended; note one that has begun."""
        ...

    def outcome(self, outcome: Outcome) -> None:
        """Note what a Runner has told of the end of its attempt."""
        ...
