"""What servers that share a database tell each other of what they have committed.

May import the standard library, msgspec and model only.
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from aura_aio.model.run import RunChanged


class Topic(StrEnum):
    """What servers hold in memory beside facts, and read anew once it has changed."""

    TOKENS = "tokens"
    SCHEDULES = "schedules"
    SYSTEM = "system"
    """Whether runs are dispatched at all."""
    QUEUE = "queue"
    """What was paused may start."""


class News(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a transaction of another server has changed: its facts in their order, the newest number
    of a log entry (0: no entry came), and topics. After a gap, in which any number may have been
    missed, `is_gap` stands in place of all that.
    """

    facts: tuple[RunChanged, ...] = ()
    newest_seq: int = 0
    topics: tuple[Topic, ...] = ()
    is_gap: bool = False


Hear = Callable[[News], None]
"""Takes the news of another server on the event loop; must return at once."""
