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
    ] = 1000
