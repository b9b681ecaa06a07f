"""Components and parameters of the tag `schedules`.

May import `schemas.fields`, `schemas.bases`, `schemas.common` and `schemas.tasks` only.
"""

from typing import ClassVar

from aura_aio.api.schemas.bases import AnswerSchema, ExclusiveSchema, PathSchema, QuerySchema
from aura_aio.api.schemas.common import (
    PLAN_NAME_LENGTH,
    TASK_NAME_LENGTH,
    CidField,
    JsonObjectField,
)
from aura_aio.api.schemas.fields import (
    Double,
    Flag,
    Items,
    Moment,
    Nested,
    QueryInt32,
    Text,
    Word,
)
from aura_aio.api.schemas.tasks import RunTaskHeadersSchema

YEAR_SEC = 31_622_400
SCHEDULE_ID_LENGTH = 512


class ScheduleOverlapField(Word):
    """ScheduleOverlap."""

    words: ClassVar = ("skip", "queue")


class ScheduleCatchUpField(Word):
    """ScheduleCatchUp."""

    words: ClassVar = ("none", "latest", "all")


class ScheduleSourceField(Word):
    """ScheduleSource."""

    words: ClassVar = ("plan", "api")


class ScheduleOutcomeField(Word):
    """ScheduleOutcome."""

    words: ClassVar = ("queued", "skipped", "missed", "failed")


class ListSchedulesQuerySchema(QuerySchema):
    """The query of listSchedules."""

    plan_name = Text(least=1, most=PLAN_NAME_LENGTH)
    limit = QueryInt32(least=1, most=1000, load_default=50)
    cursor = Text(least=1, most=512)


class GetSchedulePathSchema(PathSchema):
    """The path of getSchedule."""

    schedule_id = Text(least=1, most=SCHEDULE_ID_LENGTH, required=True)


class UpdateSchedulePathSchema(GetSchedulePathSchema):
    """The path of updateSchedule."""


class DeleteSchedulePathSchema(GetSchedulePathSchema):
    """The path of deleteSchedule."""


class RunScheduleNowPathSchema(GetSchedulePathSchema):
    """The path of runScheduleNow."""


class RunScheduleNowHeadersSchema(RunTaskHeadersSchema):
    """The headers of runScheduleNow."""


class ScheduleRequestSchema(ExclusiveSchema):
    """ScheduleRequest."""

    excluded: ClassVar = ("cron", "every_sec")

    id = Text(most=100, pattern="^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")
    plan_name = Text(least=1, most=PLAN_NAME_LENGTH, required=True)
    task_name = Text(least=1, most=TASK_NAME_LENGTH, required=True)
    cron = Text(least=1, most=200)
    every_sec = Double(least=1, most=YEAR_SEC)
    timezone = Text(least=1, most=100, load_default="UTC")
    inputs = JsonObjectField(load_default=dict)
    enabled = Flag(load_default=True)
    overlap = ScheduleOverlapField()
    catch_up = ScheduleCatchUpField()
    jitter_sec = Double(least=0, most=YEAR_SEC, load_default=0)


class ScheduleChangesSchema(ExclusiveSchema):
    """ScheduleChanges."""

    excluded: ClassVar = ("cron", "every_sec")

    plan_name = Text(least=1, most=PLAN_NAME_LENGTH)
    task_name = Text(least=1, most=TASK_NAME_LENGTH)
    cron = Text(least=1, most=200)
    every_sec = Double(least=1, most=YEAR_SEC)
    timezone = Text(least=1, most=100)
    inputs = JsonObjectField()
    enabled = Flag()
    overlap = ScheduleOverlapField()
    catch_up = ScheduleCatchUpField()
    jitter_sec = Double(least=0, most=YEAR_SEC)


class ScheduleSchema(AnswerSchema):
    """Schedule."""

    id = Text(required=True)
    source = ScheduleSourceField(required=True)
    plan_name = Text(required=True)
    task_name = Text(required=True)
    cron = Text()
    every_sec = Double(least=0)
    timezone = Text()
    inputs = JsonObjectField(required=True)
    enabled = Flag(required=True)
    overlap = ScheduleOverlapField(required=True)
    catch_up = ScheduleCatchUpField(required=True)
    jitter_sec = Double(least=0, required=True)
    next_run_at = Moment()
    last_run_at = Moment()
    last_cid = CidField()
    last_outcome = ScheduleOutcomeField()
    last_message = Text()


class ScheduleListSchema(AnswerSchema):
    """ScheduleList."""

    items = Items(Nested(ScheduleSchema), required=True)
    next_cursor = Text()


class ScheduleDeletedSchema(AnswerSchema):
    """ScheduleDeleted."""

    id = Text(required=True)
    message = Text(required=True)
