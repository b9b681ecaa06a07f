"""What a task would do: each step's outlook with the reason, the limits, the place; nothing stored.

Imports pytest, aura_aio's model and scheduler, and `subject`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from aura_aio.model.access import Grant, Scope
from aura_aio.model.errors import InputsRejected
from aura_aio.model.plan import AllOf, AnyOf, Dependency, DependsOn, Step, StepStatus, Task
from aura_aio.model.run import Limit, Run, Tasklet
from aura_aio.model.states import RunState
from aura_aio.scheduler.admission import RunRequest
from aura_aio.scheduler.queue import Queue
from aura_aio.scheduler.rehearsal import LimitNeeded, Outlook, StepOutlook, as_queued, rehearsal
from aura_aio.scheduler.waiting import Waiting, WaitingCode, WaitingReason
from tests.scheduler.bench import START, STEP, TurnedClock
from tests.scheduler.subject import Subject, load

NEXT = Waiting(1, 0, ())
PLAIN = DependsOn("b")
ON_FAILURE = DependsOn("b", (StepStatus.FAILED,))
NOTHING, NOT_FAILED, OTHERS = (
    "It waits for nothing.",
    "It runs when what it depends on has not failed.",
    "It depends on how other steps end.",
)
TASK = """
meta:
  inputs: [{name: n, type: integer}, {name: key, secret: true}]
  concurrency: {mutex_group: site, max_instances: 2}
steps:
  b: {action: log, params: {message: x}, when: '{{ inputs.n > 1 }}'}
"""
ASKED = RunRequest(plan_name="p", task_name="t", inputs={"n": 1, "key": "hunter2"})


def told(*steps: Step, **foreseen: bool) -> list[StepOutlook]:
    """Of a task with these steps."""
    tasklet = Tasklet("c", "p", "t", "d", START)
    return list(rehearsal(tasklet, Task("p", "t", steps=steps), NEXT, foreseen).steps)


@pytest.mark.parametrize(
    ("when", "condition", "foreseen", "outlook", "why"),
    [
        (None, None, None, Outlook.RUN, NOTHING),
        (True, None, None, Outlook.RUN, "Its 'when' is true."),
        (False, None, None, Outlook.SKIP, "Its 'when' is false."),
        ("x", None, True, Outlook.RUN, "Its 'when' is true: x"),
        ("x", None, False, Outlook.SKIP, "Its 'when' is false: x"),
        ("x", None, None, Outlook.OPEN, "Its 'when' is decided when it comes to it: x"),
        (None, PLAIN, None, Outlook.RUN, NOT_FAILED),
        ("x", PLAIN, True, Outlook.RUN, NOT_FAILED),
        ("x", PLAIN, None, Outlook.OPEN, "Its 'when' is decided when it comes to it: x"),
        (False, ON_FAILURE, None, Outlook.SKIP, "Its 'when' is false."),
        (True, ON_FAILURE, None, Outlook.OPEN, OTHERS),
        (None, AllOf((PLAIN, AllOf((PLAIN,)))), None, Outlook.RUN, NOT_FAILED),
        (None, AllOf((PLAIN, ON_FAILURE)), None, Outlook.OPEN, OTHERS),
        (None, AnyOf((PLAIN,)), None, Outlook.OPEN, OTHERS),
    ],
)
def test_what_a_step_will_do_is_said_with_the_reason(
    when: str | bool | None,
    condition: Dependency | None,
    foreseen: bool | None,
    outlook: Outlook,
    why: str,
) -> None:
    step = Step("a", "log", when=when, depends_on=condition)
    known = {} if foreseen is None else {"a": foreseen}
    assert sorted(told(step, Step("b", "set"), **known), key=lambda each: each.step) == [
        StepOutlook("a", "log", outlook, why),
        StepOutlook("b", "set", Outlook.RUN, NOTHING),
    ]


def test_steps_stand_behind_those_that_they_depend_on() -> None:
    steps = (Step("a", "x", depends_on=PLAIN), Step("b", "x", depends_on=DependsOn("c")))
    assert [each.step for each in told(*steps, Step("c", "x"))] == ["c", "b", "a"]


def test_a_limit_is_full_if_it_would_be_waited_for() -> None:
    full = WaitingReason(WaitingCode.RESOURCE, resource="disk")
    waiting = Waiting(1, 0, (full, WaitingReason(WaitingCode.EXCLUSIVE)))
    limits = (Limit("exclusive", 1), Limit("mutex:disk", 1), Limit("resource:disk", 3))
    tasklet = Tasklet("c", "p", "t", "d", START, limits=limits)
    found = rehearsal(tasklet, Task("p", "t"), waiting, {})
    assert found.waiting == waiting
    assert found.limits == (
        LimitNeeded(WaitingCode.EXCLUSIVE, None, 1, is_full=True),
        LimitNeeded(WaitingCode.MUTEX, "disk", 1, is_full=False),
        LimitNeeded(WaitingCode.RESOURCE, "disk", 3, is_full=True),
    )


def test_as_it_would_be_queued_it_is_what_was_asked_for() -> None:
    limits = (Limit("mutex:disk", 1),)
    tasklet = Tasklet("c", "p", "t", "d", START, priority=4, run_at=START + 5, limits=limits)
    assert as_queued(tasklet) == Run(
        cid="c",
        plan_name="p",
        task_name="t",
        state=RunState.QUEUED,
        attempt=1,
        priority=4,
        rank=0,
        arrival="c",
        definition_digest="d",
        created_at=START,
        run_at=START + 5,
        limits=limits,
    )


class Foresight:
    """What `when` will be, and of what that was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    async def __call__(self, task: Task, inputs: Mapping[str, Any]) -> Mapping[str, bool]:
        self.asked.append((task.name, inputs))
        return {"b": False}


async def test_a_rehearsal_says_what_the_run_would_be_and_stores_nothing(tmp_path: Path) -> None:
    plans, vault = await load(tmp_path, {"p/t": TASK, "p/s": STEP})
    clock, foresight = TurnedClock(), Foresight()
    subject = Subject(tmp_path, plans, vault, clock)
    await subject.open()
    parts = (subject.store.queue, subject.store.runs, subject.hands, subject.admission)
    queue = Queue(*parts, lambda: None, clock, foresight)
    (holder,) = (await subject.runs.submit(ASKED)).cids
    await subject.store.queue.claim(["w1"])
    await subject.runs.submit(replace(ASKED, priority=5))
    found = await queue.rehearse(ASKED)
    assert (found.plan_name, found.task_name) == ("p", "t")
    assert found.definition_digest == (await subject.runs.get(holder)).definition_digest
    assert found.inputs == b'{"n":1,"key":"***"}'
    assert foresight.asked == [("t", {"n": 1, "key": "hunter2"})]
    (step,) = found.steps
    assert (step.step, step.outlook) == ("b", Outlook.SKIP)
    assert (found.waiting.position, found.waiting.ahead) == (2, 1)
    reasons = [(reason.code, reason.blocking_cids) for reason in found.waiting.reasons]
    assert reasons == [(WaitingCode.MUTEX, (holder,)), (WaitingCode.BEHIND, None)]
    assert {(limit.code, limit.resource, limit.most, limit.is_full) for limit in found.limits} == {
        (WaitingCode.MUTEX, "site", 1, True),
        (WaitingCode.MAX_INSTANCES, "p/t", 2, False),
    }
    elsewhere = await queue.rehearse(ASKED, Grant(Scope.READ, frozenset({"q"})))
    assert elsewhere.waiting.reasons[0].blocking_cids == ()
    late = await queue.rehearse(replace(ASKED, delay_sec=60.0))
    (reason,) = late.waiting.reasons
    assert (late.waiting.position, reason.code) == (None, WaitingCode.DELAYED)
    assert reason.until == clock.now() + 60
    now = await queue.rehearse(replace(ASKED, task_name="s", inputs={}, run_at=clock.now()))
    assert (now.waiting.position, now.limits) == (2, ())
    with pytest.raises(InputsRejected):
        await queue.rehearse(replace(ASKED, inputs={"n": "x"}))
    assert (await subject.store.queue.counts()).by_state[RunState.QUEUED] == 1
    await subject.close()
