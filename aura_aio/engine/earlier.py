"""What earlier attempts of a run had finished, taken over by the attempt that goes on from there.

May import model, and of `engine` `attempt`, `definitions` and `graph`.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from aura_aio.engine.attempt import Attempt
from aura_aio.engine.definitions import ReadyTask
from aura_aio.engine.graph import Standing
from aura_aio.model import json
from aura_aio.model.plan import StepStatus
from aura_aio.model.run import StepRecord

STANDINGS: Final[Mapping[str, Standing]] = {
    StepStatus.SUCCESS: Standing.SUCCESS,
    StepStatus.FAILED: Standing.FAILED,
    StepStatus.SKIPPED: Standing.SKIPPED,
}
"""How a step stands that was finished, when the walk comes to it. A step that the walk itself had
skipped it skips again: how is not on record, and follows from the others.
"""


def take_over(
    records: Iterable[StepRecord], task: ReadyTask, attempt: Attempt
) -> dict[str, Standing]:
    """Let templates see what these steps gave, as if it had been just now; answers how each stands.

    They are reported once only, by the attempt that carried them out.
    """
    standings: dict[str, Standing] = {}
    for record in sorted(records, key=lambda record: record.finished_at or 0.0):
        standings[record.step] = standing = STANDINGS[record.status]
        attempt.show(record)
        if record.output is not None:
            attempt.keep_output(task.steps[record.step], json.loads(record.output))
        if standing is Standing.FAILED:
            attempt.failed.append(record.step)
    return standings
