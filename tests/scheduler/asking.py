"""What the machine of tests/scheduler asks for: which run or attempt is meant, and requests.

Imports aura_aio and the rest of tests/scheduler.
"""

from itertools import count

from aura_aio.model.ports import IdempotencyKey
from aura_aio.model.run import CancelRequest, Outcome, RunError
from aura_aio.model.states import RunEvent
from aura_aio.scheduler.admission import RunRequest
from tests.scheduler.comparing import Compared
from tests.scheduler.modelled import Asked, Key, Kind
from tests.scheduler.strategies import UNKNOWN


class Asking(Compared):
    """A machine without rules, and the words for them. `attempts` are all that have begun."""

    def __init__(self) -> None:
        super().__init__()
        self.attempts: list[tuple[str, int]] = []
        self.numbers = count()

    def cid(self, place: int) -> str:
        """Of a run, counted from the newest."""
        if place < 0 or not self.model.runs:
            return UNKNOWN
        known = list(self.model.runs)
        return known[-1 - place % len(known)]

    def attempt(self, place: int) -> tuple[str, int]:
        """One that has begun, counted from the latest; there must be one."""
        return self.attempts[-1 - max(0, place) % len(self.attempts)]

    def under_way(self, place: int) -> tuple[str, int]:
        """Mostly one that has not ended."""
        active = [(run.cid, run.attempt) for run in self.model.active()]
        return active[-1 - place % len(active)] if active and place % 4 else self.attempt(place)

    def outcome(self, place: int, event: RunEvent) -> Outcome:
        """How an attempt ends, with a result and an error: what fits is kept."""
        cid, attempt = self.attempt(place)
        number = next(self.numbers)
        return Outcome(
            cid,
            attempt,
            event,
            self.clock.now(),
            result=str(number).encode(),
            error=RunError(f"Error{number}", "No."),
        )

    def request(self, asked: tuple[Kind, int, float | None]) -> RunRequest:
        """As a client asks."""
        kind, priority, delay = asked
        return RunRequest(
            plan_name=kind.plan_name,
            task_name=kind.task_name,
            priority=priority,
            delay_sec=delay,
        )

    def asked(self, asked: tuple[Kind, int, float | None]) -> Asked:
        """The same for the model."""
        kind, priority, delay = asked
        return Asked(kind, priority, None if delay is None else self.clock.now() + delay)

    def key(self, operation: str, key: Key | None) -> IdempotencyKey | None:
        """As the handler makes it."""
        sent = of(operation, key)
        return sent and self.subject.runs.idempotency_key(sent.name, sent.body.encode())

    def cancel_request(self, mode: str) -> CancelRequest:
        """As the Scheduler makes it."""
        return CancelRequest(requested_at=self.clock.now(), mode=mode)

    def told_to_cancel(self) -> list[tuple[str, float]]:
        """What the Dispatcher was told since the last time."""
        told, self.subject.hands.cancelled = self.subject.hands.cancelled, []
        return told


def of(operation: str, key: Key | None) -> Key | None:
    """`key`, as it is known from an operation."""
    return key and Key(key.name, f"{operation} {key.body}")


def nothing(_: object) -> None:
    """There is no answer to compare."""
