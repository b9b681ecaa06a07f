"""What started a run: a client, a schedule, an event, or a step of another run.

May import the standard library and msgspec only. It stands as JSON text in `Tasklet.origin`, and
templates see it as `initial`.
"""

import msgspec


class FromSchedule(msgspec.Struct, frozen=True, tag_field="trigger", tag="schedule"):
    """The schedule `id` of the run's plan was due at `due_at` (seconds since the epoch)."""

    id: str
    due_at: float


class FromEvent(msgspec.Struct, frozen=True, tag_field="trigger", tag="event", omit_defaults=True):
    """A fact about another run: `event` is its name (`run.finished`), the rest says of which run,
    how it ended, and when (seconds since the epoch).
    """

    event: str
    cid: str
    plan_name: str
    task_name: str
    status: str
    at: float


class FromParent(
    msgspec.Struct, frozen=True, tag_field="trigger", tag="parent", omit_defaults=True
):
    """The step `step` of the run `cid` asked for it, as a child of that run.

    With `wait` the step waits for its end. It is the same text when the same call asks again, in
    another attempt of a run that resumes: `turn` is that of the step's loop (None without one),
    `tries` the try within it. A run that restarts asks anew in each `attempt`; else that is None.
    """

    cid: str
    step: str
    turn: int | None = None
    tries: int = 1
    attempt: int | None = None
    wait: bool = True


Origin = FromSchedule | FromEvent | FromParent
"""No origin (None) stands for a client."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Origin] = msgspec.json.Decoder(Origin)


def encode_origin(origin: Origin | None) -> bytes | None:
    """The JSON text for `Tasklet.origin`."""
    return None if origin is None else _encoder.encode(origin)


def decode_origin(text: bytes | None) -> Origin | None:
    """What `encode_origin` was given.

    Raises:
        msgspec.DecodeError: it is not such a text.
    """
    return None if text is None else _decoder.decode(text)
