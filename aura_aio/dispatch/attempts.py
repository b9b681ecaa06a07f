"""Attempts under way: where each runs, what it is at, and whether it holds a slot.

May import `dispatch.looks` and `supervisor`, `worker.frames` and model.
"""

from asyncio import TimerHandle
from collections import Counter

from aura_aio.dispatch.looks import Looks
from aura_aio.dispatch.supervisor import Worker
from aura_aio.model.plan import StepStatus
from aura_aio.model.ports import ActiveAttempt
from aura_aio.model.run import StepRecord, Tasklet
from aura_aio.worker.frames import Progress


class Attempt:
    """An attempt under way. It holds a slot of its worker until its end is reported, but while all
    of its steps that have begun wait for child runs; `looks` is told whenever it has given it
    away, and when the limits that it held are free.
    """

    def __init__(self, tasklet: Tasklet, worker: Worker, looks: Looks) -> None:
        self.tasklet = tasklet
        self.worker = worker
        self.handed_over = False
        self.reported = False
        self.is_over = False
        self.steps: dict[str, None] = {}
        self.progress: Progress | None = None
        self.cancel_by: float | None = None
        """Until when (of the loop's clock) its actions have to end, once it is cancelled."""
        self._deadline: TimerHandle | None = None
        self._waiting: Counter[str] = Counter()
        self._is_idle = False
        self._holds_slot = True
        self._looks = looks
        worker.occupy()

    def shown(self) -> ActiveAttempt:
        """What can be seen of it."""
        return ActiveAttempt(
            worker=self.worker.name,
            steps=tuple(self.steps),
            progress=self.progress.fraction if self.progress else None,
            progress_message=self.progress.message if self.progress else None,
        )

    def step(self, record: StepRecord) -> None:
        """Take in that a step has begun or ended."""
        if record.status == StepStatus.RUNNING:
            self.steps[record.step] = None
        else:
            self.steps.pop(record.step, None)
        self._settle()

    def wait(self, step: str) -> None:
        """A call of `step` waits for a child run from now on."""
        self._waiting[step] += 1
        self._settle()

    def go_on(self, step: str) -> None:
        """A call of `step` does not wait for its child run any more."""
        self._waiting[step] -= 1
        self._settle()

    def ends_by(self, moment: float) -> bool:
        """It is cancelled, its actions have to end by `moment`; answers whether that is news: the
        earliest counts.
        """
        if self.cancel_by is not None and self.cancel_by <= moment:
            return False
        self.cancel_by = moment
        return True

    def enforce(self, deadline: TimerHandle) -> None:
        """From now on it is `deadline` that ends the attempt, if it does not end before."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = deadline

    def report(self) -> None:
        """Its worker has done with it: the slot is another's, while its end is stored."""
        self.reported = True
        if self._holds_slot:
            self._holds_slot = False
            if self._is_idle:
                self.worker.go_on()
            self.worker.release()
            self._looks.slot_free()

    def end(self) -> None:
        """It is over, and that is stored."""
        self.is_over = True
        if self._deadline is not None:
            self._deadline.cancel()
        self.report()
        if self.tasklet.limits:
            self._looks.again()

    def _settle(self) -> None:
        idle = bool(self.steps) and all(self._waiting[step] > 0 for step in self.steps)
        if not self._holds_slot or idle == self._is_idle:
            return
        self._is_idle = idle
        if idle:
            self.worker.rest()
            self._looks.slot_free()
        else:
            self.worker.go_on()
