"""One tree of domain errors, a `code` per class; `api/problems.py` gives each its HTTP status.

May import the standard library, `pointers` and `suggestions`; nothing here knows HTTP.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from aura_aio.model.pointers import spelled
from aura_aio.model.suggestions import did_you_mean


class AuraError(Exception):
    """The root of all errors that a caller of Aura can cause or meet.

    `str(error)` is a sentence that a person can act on.
    """

    code: ClassVar[str] = "error"


class NotFound(AuraError):
    """What the caller names in the address does not exist."""

    code = "not-found"


class RunNotFound(NotFound):
    """No run has this cid."""

    code = "run-not-found"

    def __init__(self, cid: str) -> None:
        super().__init__(f"There is no run with the cid {cid!r}.")
        self.cid = cid


class PlanNotFound(NotFound):
    """No plan of this name is loaded."""

    code = "plan-not-found"

    def __init__(self, plan_name: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no plan {plan_name!r}.{did_you_mean(plan_name, known)}")


class TaskNotFound(NotFound):
    """The plan has no task of this name; or its file did not load, for what is wrong at `fault`."""

    code = "task-not-found"

    def __init__(
        self, plan_name: str, task_name: str, known: Iterable[str], fault: str | None = None
    ) -> None:
        super().__init__(
            f"Plan {plan_name!r} has no task {task_name!r}.{did_you_mean(task_name, known)}"
            if fault is None
            else f"Task {task_name!r} of plan {plan_name!r} did not load, for what is wrong at "
            f"{fault}: see the plan's load errors (aura plans show {plan_name})."
        )


class ScheduleNotFound(NotFound):
    """There is no schedule with this id."""

    code = "schedule-not-found"

    def __init__(self, id_: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no schedule {id_!r}.{did_you_mean(id_, known)}")


class BadReference(AuraError):
    """A well-formed request refers to a plan or task that does not exist (a 400, not a 404)."""

    code = "bad-reference"


class UnknownStep(AuraError):
    """A well-formed request names a step that the task does not have (a 400)."""

    code = "unknown-step"

    def __init__(self, full_task_id: str, step: str, known: Iterable[str]) -> None:
        super().__init__(f"Task {full_task_id!r} has no step {step!r}.{did_you_mean(step, known)}")


class InputsRejected(AuraError):
    """The inputs of a run break the task's `meta.inputs`. `faults` are pairs (JSON Pointer, what is
    wrong): as it is given, into the inputs; as it is kept, into the body that has them.
    """

    code = "inputs-rejected"

    def __init__(self, plan_name: str, task_name: str, faults: Sequence[tuple[str, str]]) -> None:
        listed = "; ".join(f"{spelled(place)}: {fault}" for place, fault in faults)
        super().__init__(f"The inputs do not fit task {task_name!r} of {plan_name!r}: {listed}")
        self.faults = tuple((f"/inputs{place}", fault) for place, fault in faults)


class NotJson(AuraError):
    """A body is no JSON text (a 400)."""

    code = "invalid-json"

    def __init__(self, fault: str) -> None:
        super().__init__(f"The body is not JSON: {fault}.")


class RequestInvalid(AuraError):
    """A request, or one item of a batch, is not as the contract demands (a 422).

    `faults` are pairs (JSON Pointer into the body, what is wrong).
    """

    code = "invalid-request"

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        listed = "; ".join(f"{place}: {fault}" if place else fault for place, fault in faults)
        super().__init__(f"The request is not valid: {listed}")
        self.faults = tuple(faults)


class BatchRejected(AuraError):
    """An atomic batch holds at least one task that cannot be queued, so none was (a 400).

    `faults` are pairs (JSON Pointer of the item, what is wrong with it).
    """

    code = "batch-rejected"

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__(
            f"{len(faults)} of the tasks cannot be queued, and the batch is atomic: none was. "
            f"First: {faults[0][0]}: {faults[0][1]}"
        )
        self.faults = tuple(faults)


class ReorderRejected(AuraError):
    """An order names what is not queued: nothing was moved (a 400). `faults` as BatchRejected."""

    code = "reorder-rejected"

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__(
            f"{len(faults)} of the cids cannot be put in order, so nothing was moved. "
            f"First: {faults[0][0]}: {faults[0][1]}"
        )
        self.faults = tuple(faults)


class BadCursor(AuraError):
    """A cursor that this server did not make, or made for another list."""

    code = "bad-cursor"

    def __init__(self) -> None:
        super().__init__(
            "The cursor is not one that this list gave out: start again without a cursor."
        )


class Conflict(AuraError):
    """The state of things forbids it now."""

    code = "conflict"


class IllegalTransition(Conflict):
    """The state of the run forbids this event (see `model.states.TABLE`)."""

    code = "illegal-transition"

    def __init__(self, *, state: str, event: str) -> None:
        super().__init__(f"A run that is {state} cannot take the event {event!r}.")
        self.state = state
        self.event = event


class RunFinished(Conflict):
    """The run has ended, and what was asked needs one that has not."""

    code = "run-finished"

    def __init__(self, cid: str, state: str) -> None:
        super().__init__(f"Run {cid} has already ended ({state}).")
        self.cid = cid
        self.state = state


class RunNotFinished(Conflict):
    """The run has not ended yet, and what was asked needs one that has."""

    code = "run-not-finished"

    def __init__(self, cid: str, state: str) -> None:
        super().__init__(f"Run {cid} has not ended yet ({state}).")


class NotQueued(Conflict):
    """The run is not in the queue any more, and what was asked only makes sense there."""

    code = "not-queued"

    def __init__(self, cid: str, state: str) -> None:
        super().__init__(f"Run {cid} is not queued any more ({state}).")
        self.cid = cid
        self.state = state


class RunsActive(Conflict):
    """Runs are under way, and what was asked waits for none (or for `force`)."""

    code = "runs-active"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"{f'{count} runs are' if count > 1 else 'A run is'} active: wait for the end, or ask "
            "with force: true (runs under way keep their definition)."
        )


class ScheduleExists(Conflict):
    """There is a schedule with this id already."""

    code = "schedule-exists"

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"There is a schedule {id_!r} already: take another id, or change that one."
        )


class ScheduleReadOnly(Conflict):
    """The schedule is a plan's: there it is changed and removed."""

    code = "schedule-read-only"

    def __init__(self, id_: str, plan_name: str) -> None:
        super().__init__(
            f"The schedule {id_!r} stands in the schedule.yaml of the plan {plan_name!r}: change "
            "it there. Here it can only be enabled and disabled."
        )


class ParentEnded(Conflict):
    """The run that asks for a child run is not running (any more)."""

    code = "parent-ended"


class TooDeep(Conflict):
    """A child run would be below too many others."""

    code = "too-deep"


class EventPassed(Conflict):
    """The one run whose end is waited for has ended, and not as it was to."""

    code = "event-passed"

    def __init__(self, cid: str, state: str) -> None:
        super().__init__(
            f"Run {cid} has already ended as {state}: that event cannot come any more."
        )
        self.cid = cid
        self.state = state


class IdempotencyMismatch(AuraError):
    """The Idempotency-Key was used before, with another body (a 422)."""

    code = "idempotency-mismatch"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The Idempotency-Key {key!r} was used with another body within the last 24 hours: "
            "send the same body again, or take a new key."
        )


class QueueFull(AuraError):
    """The queue holds as many runs as it may (a 429)."""

    code = "queue-full"
    retry_after_sec: ClassVar[int] = 5

    def __init__(self, limit: int) -> None:
        super().__init__(f"The queue is full ({limit} runs wait): try again later.")
        self.limit = limit


class StoreUnavailable(AuraError):
    """The database does not answer, or refuses to write (a 503)."""

    code = "store-unavailable"
    retry_after_sec: ClassVar[int] = 1


class DatabaseInUse(StoreUnavailable):
    """Another server has the database open."""

    code = "database-in-use"


class NotReady(AuraError):
    """The server should get no requests now (a 503)."""

    code = "not-ready"
    retry_after_sec: ClassVar[int] = 1


class NotAlive(AuraError):
    """A part of the server has died and does not come back by itself (a 503): restart it."""

    code = "not-alive"
    retry_after_sec: ClassVar[int] = 5


class TokenNotFound(NotFound):
    """No token has this id."""

    code = "token-not-found"

    def __init__(self, token_id: str) -> None:
        super().__init__(f"There is no token with the id {token_id!r}.")


class Unauthenticated(AuraError):
    """The server asks for a token, and the request has none (a 401)."""

    code = "unauthenticated"

    def __init__(self) -> None:
        super().__init__(
            "This server asks for a token: send one of its own as Authorization: Bearer aura_…. "
            "Who has an admin token makes others; without one, stop the server, make it with "
            "aura token create on the server's data folder, and start it again."
        )


class InvalidToken(AuraError):
    """The request has a token or a ticket that is not good (a 401)."""

    code = "invalid-token"


class InsufficientScope(AuraError):
    """The token does not have the scope that this needs (a 403)."""

    code = "insufficient-scope"

    def __init__(self, *, needed: str, given: str) -> None:
        super().__init__(
            f"This needs a token with the scope {needed}; this one has the scope {given}."
        )
        self.needed = needed


class NarrowedToken(AuraError):
    """The token is narrowed to plans, and this concerns the system as a whole (a 403)."""

    code = "narrowed-token"

    def __init__(self, plans: Iterable[str]) -> None:
        super().__init__(
            "This concerns the system as a whole, and the token is narrowed to plans: "
            f"{', '.join(sorted(plans))}."
        )


class DatabaseTooNew(AuraError):
    """The database was written by a newer version; starting would damage it."""

    code = "database-too-new"


class SettingsError(AuraError):
    """A setting from a flag, the environment or the settings file is wrong."""

    code = "settings"


class ContractError(AuraError):
    """The contract document is broken, or does not fit the handlers: the start stops."""

    code = "contract"


class SealBroken(Conflict):
    """What was sealed cannot be read: it was sealed with another key, or is damaged."""

    code = "seal-broken"

    def __init__(self, key_file: str) -> None:
        super().__init__(
            "The secret inputs of the run cannot be read: they were sealed with another key than "
            f"the one in the file {key_file} of the data folder."
        )
