"""Components and parameters of the tag `queue`.

May import `schemas.fields`, `schemas.bases`, `schemas.common`, `schemas.runs` and
`schemas.tasks` only.
"""

from typing import ClassVar

from aura_aio.api.schemas.bases import AnswerSchema, QuerySchema, RequestSchema
from aura_aio.api.schemas.common import (
    CID_LENGTH,
    PLAN_NAME_LENGTH,
    CidField,
    CountsField,
    LabelsField,
)
from aura_aio.api.schemas.fields import (
    Double,
    Flag,
    Int32,
    Int64,
    Items,
    Moment,
    Nested,
    QueryInt32,
    Text,
    Word,
)
from aura_aio.api.schemas.runs import WaitingSchema
from aura_aio.api.schemas.tasks import (
    AdHocTaskRequestSchema,
    CancelTaskPathSchema,
    RunTaskHeadersSchema,
)


class QueueStateField(Word):
    """QueueState."""

    words: ClassVar = ("ready", "delayed")


class ListQueueQuerySchema(QuerySchema):
    """The query of listQueue."""

    state = QueueStateField(load_default="ready")
    limit = QueryInt32(least=1, most=1000, load_default=50)
    cursor = Text(least=1, most=512)


class InsertIntoQueueHeadersSchema(RunTaskHeadersSchema):
    """The headers of insertIntoQueue."""


class ClearQueueQuerySchema(QuerySchema):
    """The query of clearQueue."""

    plan_name = Text(least=1, most=PLAN_NAME_LENGTH)


class RemoveFromQueuePathSchema(CancelTaskPathSchema):
    """The path of removeFromQueue."""


class MoveToFrontPathSchema(CancelTaskPathSchema):
    """The path of moveToFront."""


class MoveToPositionPathSchema(CancelTaskPathSchema):
    """The path of moveToPosition."""


class QueueInsertRequestSchema(AdHocTaskRequestSchema):
    """QueueInsertRequest."""

    index = Int32(least=0, most=1_000_000, required=True)


class MoveRequestSchema(RequestSchema):
    """MoveRequest."""

    position = Int32(least=1, most=1_000_000, required=True)


class ReorderRequestSchema(RequestSchema):
    """ReorderRequest."""

    cid_order = Items(Text(least=1, most=CID_LENGTH), least=1, most=1000, required=True)


class ReorderResultSchema(AnswerSchema):
    """ReorderResult."""

    moved_count = Int32(least=0, required=True)


class PauseRequestSchema(RequestSchema):
    """PauseRequest."""

    plan_name = Text(least=1, most=PLAN_NAME_LENGTH)


class PlanPauseSchema(AnswerSchema):
    """PlanPause."""

    plan_name = Text(required=True)
    since = Moment(required=True)


class QueuePausesSchema(AnswerSchema):
    """QueuePauses."""

    is_paused = Flag(required=True)
    since = Moment()
    plans = Items(Nested(PlanPauseSchema), required=True)


class ClearResultSchema(AnswerSchema):
    """ClearResult."""

    removed_count = Int64(least=0, required=True)


class ThroughputSchema(AnswerSchema):
    """Throughput."""

    m5 = Int64(least=0, required=True)
    m15 = Int64(least=0, required=True)
    m60 = Int64(least=0, required=True)


class QueueOverviewSchema(AnswerSchema):
    """QueueOverview."""

    ready_length = Int64(least=0, required=True)
    delayed_length = Int64(least=0, required=True)
    running_length = Int64(least=0, required=True)
    by_plan = CountsField(required=True)
    by_priority = CountsField(required=True)
    avg_wait_sec = Double(least=0)
    p95_wait_sec = Double(least=0)
    oldest_age_sec = Double(least=0)
    throughput = Nested(ThroughputSchema, required=True)
    pauses = Nested(QueuePausesSchema, required=True)


class QueueEntrySchema(AnswerSchema):
    """QueueEntry."""

    cid = CidField(required=True)
    plan_name = Text(required=True)
    task_name = Text(required=True)
    priority = Int32(least=-100, most=100, required=True)
    labels = LabelsField(required=True)
    attempt = Int32(least=1, required=True)
    created_at = Moment(required=True)
    run_at = Moment()
    position = Int64(least=1)
    waiting = Nested(WaitingSchema, required=True)


class QueueListSchema(AnswerSchema):
    """QueueList."""

    items = Items(Nested(QueueEntrySchema), required=True)
    next_cursor = Text()
