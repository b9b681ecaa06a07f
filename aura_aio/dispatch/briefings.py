"""What a worker must know to begin an attempt: the definition, and the steps that are finished.

May import model; stores come in as ports.
"""

import logging
from collections.abc import Sequence
from typing import Final

from aura_aio.model.clock import Clock
from aura_aio.model.persistence import persist
from aura_aio.model.plan import Definition
from aura_aio.model.ports import RunStore
from aura_aio.model.run import (
    HANDED_DOWN,
    OnCrash,
    Outcome,
    RunError,
    StepRecord,
    Tasklet,
)
from aura_aio.model.states import RunEvent

_log = logging.getLogger("aura.dispatch.briefings")

KNOWN_DEFINITIONS: Final = 1024


class Briefings:
    """Reads them from the store; the latest definitions it knows by heart."""

    def __init__(self, runs: RunStore, clock: Clock) -> None:
        self._runs = runs
        self._clock = clock
        self._definitions: dict[str, Definition] = {}

    async def of(self, tasklet: Tasklet) -> tuple[Definition | None, Sequence[StepRecord]]:
        """The definition (None: it is not there any more), and the steps that are not run again.
        The run has been claimed: it waits for the store as long as it takes.
        """

        async def read() -> tuple[Definition | None, Sequence[StepRecord]]:
            definition = await self._definition(tasklet.definition_digest)
            return definition, await self._finished_steps(tasklet)

        complaint = "store unavailable, a start waits"
        return await persist(
            read, self._clock, _log, complaint, action="start_waits", cid=tasklet.cid
        )

    async def _finished_steps(self, tasklet: Tasklet) -> Sequence[StepRecord]:
        """Those that the run was handed down, and, if it resumes, those of earlier attempts."""
        resumes = tasklet.attempt > 1 and tasklet.on_crash is OnCrash.RESUME
        if not resumes and tasklet.retry_of is None:
            return ()
        records = await self._runs.finished_steps(tasklet.cid)
        return [each for each in records if resumes or each.attempt == HANDED_DOWN]

    async def _definition(self, digest: str) -> Definition | None:
        known = self._definitions.get(digest)
        if known is None:
            known = await self._runs.definition(digest)
            if known is not None:
                if len(self._definitions) >= KNOWN_DEFINITIONS:
                    del self._definitions[next(iter(self._definitions))]
                self._definitions[digest] = known
        return known


def task_gone(tasklet: Tasklet, now: float) -> Outcome:
    """The end of an attempt whose definition is not there any more."""
    message = f"The definition of task {tasklet.task_name!r} is not in the store any more."
    return refused(tasklet, RunError(type="TaskGone", message=message), now)


def refused(tasklet: Tasklet, error: RunError, now: float) -> Outcome:
    """The end of an attempt that no worker is given."""
    return Outcome(tasklet.cid, tasklet.attempt, RunEvent.FAIL, finished_at=now, error=error)
