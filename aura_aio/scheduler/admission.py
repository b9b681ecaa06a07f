"""From a request to a Tasklet: look-up, input check, envelope; pure but for cid, time and seal.

May import catalog and model only.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from aura_aio.catalog.catalog import Catalog
from aura_aio.catalog.inputs import check_inputs
from aura_aio.catalog.plan_reader import LoadedTask
from aura_aio.catalog.secret_inputs import faults_of_secrets, part
from aura_aio.model import json
from aura_aio.model.clock import Clock
from aura_aio.model.errors import (
    AuraError,
    BadReference,
    InputsRejected,
    PlanNotFound,
    TaskNotFound,
)
from aura_aio.model.limits import limits_of
from aura_aio.model.origin import Origin, encode_origin
from aura_aio.model.plan import Definition
from aura_aio.model.ports import IdempotencyKey, Vault
from aura_aio.model.run import Tasklet


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks to have run; `run_at` in seconds since the epoch, or `delay_sec` from now.

    At most one of `run_at` and `delay_sec` is set. `secret_inputs` are names of inputs that are
    secret whatever the task says of them: they were made from secrets.
    """

    plan_name: str
    task_name: str
    inputs: dict[str, Any] = {}
    secret_inputs: frozenset[str] = frozenset()
    priority: int = 0
    delay_sec: float | None = None
    run_at: float | None = None
    timeout_sec: float | None = None
    labels: dict[str, str] = {}


class Admitted(msgspec.Struct, frozen=True):
    """A request that may be queued."""

    tasklet: Tasklet
    definition: Definition


class Admission:
    """Turns requests into Tasklets, with the catalog of the moment."""

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        clock: Clock,
        new_cid: Callable[[], str],
        vault: Vault,
    ) -> None:
        self._catalog = catalog
        self._vault = vault
        self._clock = clock
        self._new_cid = new_cid

    def admit(
        self, request: RunRequest, *, origin: Origin | None = None, depth: int = 0
    ) -> Admitted:
        """The Tasklet of a request. `origin` is what it comes from, if from no client, and `depth`
        how many runs led to it.

        Raises:
            BadReference: no such plan or task; the sentence suggests the names that are close.
            InputsRejected: the inputs break the task's `meta.inputs`.
        """
        loaded = self._loaded(request)
        task = loaded.task
        inputs = check_inputs(task, request.inputs)
        shown, hidden = part(task.meta.inputs, inputs, request.secret_inputs)
        now = self._clock.now()
        run_at = now + request.delay_sec if request.delay_sec is not None else request.run_at
        tasklet = Tasklet(
            cid=self._new_cid(),
            plan_name=task.plan_name,
            task_name=task.name,
            definition_digest=loaded.definition.digest,
            accepted_at=now,
            inputs=json.dumps(shown),
            sealed=self._vault.seal(json.dumps(hidden)) if hidden else None,
            priority=request.priority,
            run_at=run_at,
            timeout_sec=request.timeout_sec,
            on_crash=task.meta.on_crash,
            labels=request.labels,
            limits=limits_of(task),
            depth=depth,
            origin=encode_origin(origin),
        )
        return Admitted(tasklet, loaded.definition)

    def check(self, request: RunRequest) -> str:
        """The proper name of the task, if a run of the request could be admitted now, and the
        request can be kept as it is.

        Raises:
            BadReference, InputsRejected: as `admit`; also for inputs that hold a secret.
        """
        task = self._loaded(request).task
        check_inputs(task, request.inputs)
        faults = faults_of_secrets(task.meta.inputs, request.inputs)
        if faults:
            raise InputsRejected(task.plan_name, task.name, faults)
        return task.name

    def idempotency_key(self, key: str, body: bytes) -> IdempotencyKey:
        """See `Runs.idempotency_key`. A bare digest would let who reads the database try out
        guesses at secret inputs.
        """
        return IdempotencyKey(key=key, body_digest=self._vault.digest(body))

    def admit_each(self, requests: Sequence[RunRequest | AuraError]) -> list[Admitted | AuraError]:
        """What became of each request, in order; one that was bad already stays so."""
        return [self._admit_or_say_why(request) for request in requests]

    def _loaded(self, request: RunRequest) -> LoadedTask:
        try:
            return self._catalog().task(request.plan_name, request.task_name)
        except (PlanNotFound, TaskNotFound) as error:
            raise BadReference(str(error)) from error

    def _admit_or_say_why(self, request: RunRequest | AuraError) -> Admitted | AuraError:
        if isinstance(request, AuraError):
            return request
        try:
            return self.admit(request)
        except AuraError as error:
            return error
