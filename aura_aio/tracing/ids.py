"""Ids of spans: random ones, but for spans whose id is known before they are made.

May import opentelemetry only.
"""

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator


class Ids(RandomIdGenerator):
    """Gives out ids; a tracer asks for them while it starts a span."""

    def __init__(self) -> None:
        self._span: str | None = None
        self._trace: str | None = None

    def next(self, span_id: str, trace_id: str | None = None) -> None:
        """The next span has the id `span_id`, and `trace_id` is that of its trace if it begins
        one; both as hexadecimal digits.
        """
        self._span, self._trace = span_id, trace_id

    def generate_span_id(self) -> int:
        """The id that is wanted, once, or a random one."""
        wanted, self._span, self._trace = self._span, None, None
        return super().generate_span_id() if wanted is None else int(wanted, 16)

    def generate_trace_id(self) -> int:
        """The id that is wanted, or a random one."""
        return super().generate_trace_id() if self._trace is None else int(self._trace, 16)
