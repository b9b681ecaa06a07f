"""From a request to a Tasklet: look-up, input check, envelope; pure but for cid, time and seal.

May import catalog, model, run_settings and `callback_targets` only.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from aura_aio.catalog.catalog import Catalog
from aura_aio.catalog.inputs import check_inputs
from aura_aio.catalog.secret_inputs import MASK, faults_of_secrets, part
from aura_aio.catalog.still_good import LoadedTask
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
from aura_aio.model.plan import Definition, Task
from aura_aio.model.ports import IdempotencyKey
from aura_aio.model.run import Run, Tasklet
from aura_aio.model.sealing import Hidden, PassedOn, Vault, hidden_from, hidden_text
from aura_aio.model.sizes import InputsTooLarge
from aura_aio.model.trace import TraceContext
from aura_aio.run_settings import RunSettings
from aura_aio.scheduler.callback_targets import Targets

TURN_SEC: Final = 0.01
"""How long requests of a batch are looked at before others have their turn."""


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks to have run; `run_at` in seconds since the epoch, or `delay_sec` from now.

    At most one of `run_at` and `delay_sec` is set. `secret_inputs` are names of inputs that are
    secret whatever the task says of them; so are those that were `passed_on` by a parent.
    """

    plan_name: str
    task_name: str
    inputs: dict[str, Any] = {}
    secret_inputs: frozenset[str] = frozenset()
    passed_on: PassedOn = PassedOn()
    priority: int = 0
    delay_sec: float | None = None
    run_at: float | None = None
    timeout_sec: float | None = None
    labels: dict[str, str] = {}
    callback_url: str | None = None
    trace: TraceContext | None = None


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
        targets: Targets,
        check_space: Callable[[], None] = lambda: None,
        max_inputs_bytes: int = RunSettings().max_inputs_bytes,
    ) -> None:
        self.check_space = check_space
        """Returns if there is room on the disk for what a client asks for; else it raises
        DiskNearlyFull. What the server itself has to do asks for nothing.
        """
        self._targets = targets
        self._catalog = catalog
        self._vault = vault
        self._clock = clock
        self._new_cid = new_cid
        self._max_inputs_bytes = max_inputs_bytes

    def admit(
        self, request: RunRequest, *, origin: Origin | None = None, depth: int = 0
    ) -> Admitted:
        """The Tasklet of a request. `origin` is what it comes from, if from no client, and `depth`
        how many runs led to it.

        Raises:
            BadReference: no such plan or task; the sentence suggests the names that are close.
            InputsRejected: the inputs break the task's `meta.inputs`.
            InputsTooLarge: they take more room than they may.
            CallbackRefused: callbacks may not go to its `callback_url`.
        """
        loaded = self._loaded(request.plan_name, request.task_name)
        if request.callback_url is not None:
            self._targets.check(request.callback_url)
        tasklet = self._tasklet(loaded.task, loaded.definition.digest, request)
        if depth or origin is not None:
            tasklet = msgspec.structs.replace(tasklet, depth=depth, origin=encode_origin(origin))
        return Admitted(tasklet, loaded.definition)

    def admit_again(
        self,
        run: Run,
        inputs: Mapping[str, Any],
        definition: Definition | None,
        *,
        trace: TraceContext | None,
    ) -> Admitted:
        """The Tasklet of a new run that does `run` over, by `definition`, or else by the task as it
        is loaded now. `inputs` replace those of the same name; of the run's own, those that the
        task does not have any more are left out.

        Raises:
            BadReference: its plan, or without `definition` its task, is not loaded any more.
            InputsRejected: the inputs break the task's `meta.inputs`.
            InputsTooLarge: they take more room than they may.
            SealBroken: the run's secret inputs cannot be read.
        """
        if definition is None:
            loaded = self._loaded(run.plan_name, run.task_name)
            task, definition = loaded.task, loaded.definition
        else:
            self._check_plan(run.plan_name)
            task = definition.task()
        shown = json.loads(run.inputs or b"{}")
        hidden = hidden_from(self._vault.unseal(run.sealed)) if run.sealed else Hidden()
        secret = hidden.inputs
        names = {spec.name for spec in task.meta.inputs}
        own = {name: value for name, value in (shown | secret).items() if name in names}
        request = RunRequest(
            plan_name=run.plan_name,
            task_name=run.task_name,
            inputs=own | dict(inputs),
            secret_inputs=frozenset(
                name for name in secret if shown[name] == MASK and name not in inputs
            ),
            passed_on=hidden.passed_on,
            priority=run.priority,
            timeout_sec=run.timeout_sec,
            labels=run.labels,
            callback_url=run.callback_url,
            trace=trace,
        )
        tasklet = self._tasklet(task, definition.digest, request)
        tasklet = msgspec.structs.replace(
            tasklet, depth=run.depth, origin=run.origin, retry_of=run.cid
        )
        return Admitted(tasklet, definition)

    def check(self, request: RunRequest) -> str:
        """The proper name of the task, if a run of the request could be admitted now, and the
        request can be kept as it is.

        Raises:
            BadReference, InputsTooLarge: as `admit`.
            InputsRejected: as `admit`; also for inputs that hold a secret.
        """
        task = self._loaded(request.plan_name, request.task_name).task
        inputs = check_inputs(task, request.inputs)
        self._check_size(len(json.dumps(inputs)))
        faults = faults_of_secrets(task.meta.inputs, request.inputs)
        if faults:
            raise InputsRejected(task.plan_name, task.name, faults)
        return task.name

    def idempotency_key(self, key: str, body: bytes) -> IdempotencyKey:
        """See `Runs.idempotency_key`. A bare digest would let who reads the database try out
        guesses at secret inputs.
        """
        return IdempotencyKey(key=key, body_digest=self._vault.digest(body))

    async def admit_each(
        self, requests: Sequence[RunRequest | AuraError]
    ) -> list[Admitted | AuraError]:
        """What became of each request, in order; one that was bad already stays so.

        All others have their turn meanwhile: to compare a value with a pattern may take 50 ms, and
        names with those that may be meant nearly as long.
        """
        results: list[Admitted | AuraError] = []
        turn_ends = self._clock.monotonic() + TURN_SEC
        for request in requests:
            results.append(self._admit_or_say_why(request))
            if self._clock.monotonic() >= turn_ends:
                await asyncio.sleep(0)
                turn_ends = self._clock.monotonic() + TURN_SEC
        return results

    def _tasklet(self, task: Task, digest: str, request: RunRequest) -> Tasklet:
        inputs = check_inputs(task, request.inputs)
        passed_on = request.passed_on
        also = request.secret_inputs | set(passed_on.inputs)
        shown, hidden = part(task.meta.inputs, inputs, also)
        text = json.dumps(shown)
        secret = hidden_text(Hidden(hidden, passed_on)) if hidden else b""
        self._check_size(len(text) + len(secret))
        now = self._clock.now()
        run_at = now + request.delay_sec if request.delay_sec is not None else request.run_at
        return Tasklet(
            cid=self._new_cid(),
            plan_name=task.plan_name,
            task_name=task.name,
            definition_digest=digest,
            accepted_at=now,
            inputs=text,
            sealed=self._vault.seal(secret) if secret else None,
            priority=request.priority,
            run_at=run_at,
            timeout_sec=request.timeout_sec,
            on_crash=task.meta.on_crash,
            labels=request.labels,
            limits=limits_of(task),
            callback_url=request.callback_url,
            trace=request.trace,
            plan_digest=self._catalog().plan(task.plan_name).digest,
        )

    def _check_size(self, size: int) -> None:
        if size > self._max_inputs_bytes:
            raise InputsTooLarge(size, self._max_inputs_bytes)

    def _loaded(self, plan_name: str, task_name: str) -> LoadedTask:
        try:
            return self._catalog().task(plan_name, task_name)
        except (PlanNotFound, TaskNotFound) as error:
            raise BadReference(str(error)) from error

    def _check_plan(self, plan_name: str) -> None:
        try:
            self._catalog().plan(plan_name)
        except PlanNotFound as error:
            raise BadReference(str(error)) from error

    def _admit_or_say_why(self, request: RunRequest | AuraError) -> Admitted | AuraError:
        if isinstance(request, AuraError):
            return request
        try:
            return self.admit(request)
        except AuraError as error:
            return error
