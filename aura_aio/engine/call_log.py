"""When a step has called its action: turn by turn, try by try.

May import model only.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from aura_aio.model.clock import Clock
from aura_aio.model.plan import StepStatus
from aura_aio.model.run import CallRecord

MOST_CALLS: Final = 1_000


class CallLog:
    """Notes the calls of one step, the first `MOST_CALLS` of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: list[CallRecord] = []

    @contextmanager
    def call(self, names: Mapping[str, Any], number: int) -> Iterator[None]:
        """Note the call that is made while the context is open: the `number`-th try of the turn
        whose templates see `names`.
        """
        if len(self._calls) >= MOST_CALLS:
            yield
            return
        began = self._clock.now()
        status = StepStatus.FAILED
        try:
            yield
            status = StepStatus.SUCCESS
        except asyncio.CancelledError:
            status = StepStatus.CANCELLED
            raise
        finally:
            loop = names.get("loop")
            self._calls.append(
                CallRecord(
                    loop_index=None if loop is None else loop["index"],
                    tried=number,
                    status=status.value,
                    started_at=began,
                    finished_at=self._clock.now(),
                )
            )

    def worth_telling(self) -> tuple[CallRecord, ...]:
        """The calls, in the order of their ends; none if the step itself says all of its only
        one.
        """
        if len(self._calls) == 1 and self._calls[0].loop_index is None:
            return ()
        return tuple(self._calls)
