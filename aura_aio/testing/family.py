"""The run of a test and the child runs that come of it, together on one loop, by a server's rules.

May import engine, catalog, model, and of `testing` `runs`.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from aura_aio.catalog.inputs import check_inputs
from aura_aio.catalog.secret_inputs import part
from aura_aio.engine.failures import ChildNotStarted
from aura_aio.engine.runner import Runner, RunnerParts
from aura_aio.model import json
from aura_aio.model.children import ChildEnd, ChildRequest, check_depth
from aura_aio.model.clock import Clock
from aura_aio.model.errors import AuraError
from aura_aio.model.lanes import Head, startable
from aura_aio.model.limits import Limits, limits_of, limits_of_child
from aura_aio.model.origin import FromParent, Origin, encode_origin
from aura_aio.model.plan import Definition, Task
from aura_aio.model.run import RunError, Tasklet
from aura_aio.model.sealing import Hidden, PassedOn, hidden_text
from aura_aio.model.states import RunState, advance
from aura_aio.testing.runs import FinishedRun, Notebook, finished_run

GRACE_SEC: Final = 10.0
"""How long a child that is cancelled may take to end by itself."""
CHILD_DEPTH: Final = 16


class Stage(Protocol):
    """What surrounds the runs of a family."""

    @property
    def clock(self) -> Clock:
        """The time of the test."""
        ...

    def task(self, plan_name: str, name: str) -> Task:
        """A task of a plan; raises as `Catalog.task`."""
        ...

    def load_actions(self, task: Task) -> None:
        """Import what its steps call, unless that was done before; blocks."""
        ...

    def state_of(self, plan_name: str) -> dict[str, Any]:
        """What a plan keeps between its runs."""
        ...

    def new_cid(self) -> str:
        """A new cid."""
        ...


class Wanted:
    """What a run of a family is to do: a task, with inputs that are to be checked."""

    def __init__(
        self,
        task: Task,
        inputs: Mapping[str, Any],
        *,
        timeout_sec: float | None = None,
        origin: Origin | None = None,
        priority: int = 0,
        passed_on: PassedOn = PassedOn(),  # noqa: B008 - frozen
    ) -> None:
        """Raises InputsRejected."""
        self.task = task
        self.shown, hidden = part(
            task.meta.inputs, check_inputs(task, dict(inputs)), passed_on.inputs
        )
        self.hidden = hidden_text(Hidden(hidden, passed_on)) if hidden else None
        self.timeout_sec = timeout_sec
        self.origin = origin
        self.priority = priority


class Member:
    """A run of a family: it waits, runs, or has ended."""

    def __init__(self, wanted: Wanted, stage: Stage, parent: "Member | None" = None) -> None:
        self.cid = stage.new_cid()
        self.wanted = wanted
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.waited_for = isinstance(wanted.origin, FromParent) and wanted.origin.wait
        self.limits = self._limits()
        self.children: list[Member] = []
        self.runner: Runner | None = None
        self.notebook = Notebook(stage.state_of(wanted.task.plan_name))
        self.state = RunState.QUEUED
        self.result: bytes | None = None
        self.error: RunError | None = None
        self.ended: asyncio.Future[ChildEnd] = asyncio.get_running_loop().create_future()
        self.began_at = stage.clock.now()
        self.began = stage.clock.monotonic()
        self.took_sec = 0.0

    @property
    def order(self) -> tuple[int, int, str]:
        """Its place in the dispatch order."""
        return (-self.wanted.priority, -self.depth, self.cid)

    def finished(self) -> FinishedRun:
        """What it came to."""
        return finished_run(
            self.wanted.task,
            end=ChildEnd(self.cid, self.state, self.result, self.error),
            notebook=self.notebook,
            inputs=self.wanted.shown,
            times=(self.began_at, self.took_sec),
            children=[child.finished() for child in self.children],
        )

    def _limits(self) -> Limits:
        return limits_of_child(limits_of(self.wanted.task), tuple(self._waiting()))

    def _waiting(self) -> Iterator[tuple[str, Limits]]:
        """The runs above that wait for this one, with what they hold."""
        member: Member | None = self
        while member is not None and member.waited_for and member.parent is not None:
            member = member.parent
            yield member.cid, member.limits


class Family:
    """Runs the runs of a test; implements `engine.children.ChildRuns`."""

    def __init__(self, stage: Stage, parts_with: Callable[..., RunnerParts]) -> None:
        """`parts_with(journal=…, child_runs=…)` are the parts of one Runner."""
        self._stage = stage
        self._parts_with = parts_with
        self._members: dict[str, Member] = {}
        self._group = asyncio.TaskGroup()

    async def run(self, wanted: Wanted) -> Member:
        """Run it, with all children that come of it, to the end of the last."""
        first = Member(wanted, self._stage)
        async with self._group:
            self._join(first)
        return first

    def ask(self, request: ChildRequest) -> "AskedRun":
        """Ask for a child run; returns at once."""
        parent = self._members[request.parent_cid]
        try:
            check_depth(parent.depth + 1, CHILD_DEPTH)
            child = Member(self._wanted(request, parent), self._stage, parent)
        except AuraError as error:
            return AskedRun(self, None, str(error))
        parent.children.append(child)
        self._join(child)
        return AskedRun(self, child)

    def cancel(self, member: Member) -> None:
        """End a run that has not ended, and all below it."""
        if member.state is RunState.QUEUED:
            self._end(member, RunState.CANCELLED)
        elif member.state is RunState.RUNNING:
            member.state = RunState.CANCELLING
            if member.runner is not None:
                member.runner.cancel(grace_sec=GRACE_SEC)
        for child in member.children:
            self.cancel(child)

    def _wanted(self, request: ChildRequest, parent: Member) -> Wanted:
        priority = parent.wanted.priority if request.priority is None else request.priority
        return Wanted(
            self._stage.task(request.plan_name, request.task_name),
            json.loads(request.inputs),
            timeout_sec=request.timeout_sec,
            origin=FromParent(
                cid=parent.cid,
                step=request.step,
                turn=request.turn,
                tries=request.tries,
                wait=request.wait,
            ),
            priority=priority,
            passed_on=request.passed_on,
        )

    def _join(self, member: Member) -> None:
        self._members[member.cid] = member
        self._start_ready()

    def _start_ready(self) -> None:
        """Start what may start beside what runs."""
        waiting = [each for each in self._members.values() if each.state is RunState.QUEUED]
        holders = [(each.cid, each.limits) for each in self._members.values() if _runs(each)]
        heads = [Head(each.order, ("", "", each.cid), each.limits, each.cid) for each in waiting]
        for head in startable(heads, holders, lambda _: None):
            member = self._members[head.cid]
            member.state = RunState.RUNNING
            self._group.create_task(self._carry_out(member))

    async def _carry_out(self, member: Member) -> None:
        wanted = member.wanted
        kept = self._stage.state_of(wanted.task.plan_name)
        tasklet = Tasklet(
            cid=member.cid,
            plan_name=wanted.task.plan_name,
            task_name=wanted.task.name,
            definition_digest=Definition.of(wanted.task).digest,
            accepted_at=member.began_at,
            inputs=json.dumps(wanted.shown),
            timeout_sec=wanted.timeout_sec,
            origin=encode_origin(wanted.origin),
            state=json.dumps(kept) if kept else None,
        )
        member.began_at = self._stage.clock.now()
        member.began = self._stage.clock.monotonic()
        parts = self._parts_with(journal=member.notebook, child_runs=self)
        member.runner = Runner(tasklet, wanted.task, parts, hidden=wanted.hidden)
        if member.state is RunState.CANCELLING:  # before it had begun
            member.runner.cancel(grace_sec=GRACE_SEC)
        load = self._stage.load_actions
        imports = asyncio.get_running_loop().run_in_executor(None, load, wanted.task)
        outcome = await member.runner.run([imports])
        state = advance(member.state, outcome.event)
        if state is RunState.SUCCEEDED:
            member.result = outcome.result
        elif state in {RunState.FAILED, RunState.TIMED_OUT}:
            member.error = outcome.error
        self._end(member, state if isinstance(state, RunState) else member.state)

    def _end(self, member: Member, state: RunState) -> None:
        member.state = state
        member.took_sec = self._stage.clock.monotonic() - member.began
        member.ended.set_result(ChildEnd(member.cid, state, member.result, member.error))
        if state is not RunState.SUCCEEDED:
            for child in member.children:
                self.cancel(child)
        self._start_ready()


class AskedRun:
    """Implements `engine.children.ChildRun`."""

    def __init__(self, family: Family, child: Member | None, refusal: str = "") -> None:
        self._family = family
        self._child = child
        self._refusal = refusal

    async def started(self) -> str:
        """Its cid; raises ChildNotStarted."""
        return self._there().cid

    async def ended(self) -> ChildEnd:
        """How it has ended, once it has."""
        return await asyncio.shield(self._there().ended)

    def drop(self) -> None:
        """Cancel it: nobody waits for it any more."""
        if self._child is not None:
            self._family.cancel(self._child)

    def _there(self) -> Member:
        if self._child is None:
            raise ChildNotStarted(self._refusal)
        return self._child


def _runs(member: Member) -> bool:
    return member.state in {RunState.RUNNING, RunState.CANCELLING}
