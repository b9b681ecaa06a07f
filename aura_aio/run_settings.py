"""The settings of what one run may say, give and take: workers are handed this branch whole.

May import msgspec only.
"""

from typing import Annotated

import msgspec
from msgspec import Meta


class RunSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one run may use."""

    max_inputs_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            description="Largest inputs of a run, with their defaults, in bytes of JSON; larger "
            "ones answer 422. Those of a request also have to fit into max_body_bytes.",
        ),
    ] = 524_288
    log_lines_per_sec: Annotated[
        int,
        Meta(
            ge=0,
            description="Lines that a run may log per second; after a silence those of ten seconds "
            "at once. What is over it is left out, and the run's log says how much; 0: no limit.",
        ),
    ] = 10_000
    max_line_chars: Annotated[
        int,
        Meta(
            ge=256,
            le=131_072,
            description="Characters of the message of a log line, and bytes of each value in its "
            "data; what is longer is cut, and says so.",
        ),
    ] = 65_536
    max_result_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            le=134_217_728,
            description="Largest result of a step or of a run, in bytes of JSON; with a larger one "
            "it fails (ResultNotJson).",
        ),
    ] = 16_777_216
    template_timeout_sec: Annotated[
        float,
        Meta(
            gt=0,
            le=5,
            description="How long all that a step renders in one go may take, in seconds of a "
            "processor, and what it may do in that time (20 million units in half a second); then "
            "the step fails. Meanwhile the other runs of its worker wait.",
        ),
    ] = 0.5
