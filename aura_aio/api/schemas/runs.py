"""Components and parameters of the tag `runs`.

May import `schemas.fields`, `schemas.bases`, `schemas.common`, `schemas.plans` and `model` only.
"""

from typing import ClassVar

from aura_aio.api.schemas.bases import AnswerSchema, PathSchema, QuerySchema
from aura_aio.api.schemas.common import (
    CID_LENGTH,
    PLAN_NAME_LENGTH,
    TASK_NAME_LENGTH,
    CidField,
    JsonObjectField,
    JsonValueField,
    LabelsField,
)
from aura_aio.api.schemas.fields import (
    CommaSeparated,
    Double,
    Flag,
    Int32,
    Int64,
    Items,
    Moment,
    Nested,
    QueryDouble,
    QueryInt32,
    Text,
    Word,
)
from aura_aio.api.schemas.plans import TaskDetailSchema
from aura_aio.model.callback import CallbackStatus
from aura_aio.model.states import RunState


class RunStatusField(Word):
    """RunStatus."""

    words: ClassVar = tuple(RunState)


class TimelineStatusField(Word):
    """TimelineStatus."""

    words: ClassVar = ("pending", "running", "success", "failed", "skipped", "cancelled", "lost")


class RunIncludeField(Word):
    """RunInclude."""

    words: ClassVar = ("inputs", "result")


class CancelModeField(Word):
    """CancelMode."""

    words: ClassVar = ("graceful", "kill")


class WaitingCodeField(Word):
    """WaitingCode."""

    words: ClassVar = (
        "paused",
        "stopped",
        "delayed",
        "exclusive",
        "resource",
        "mutex",
        "max_instances",
        "no_worker",
        "no_host",
        "behind",
    )


class ListRunsQuerySchema(QuerySchema):
    """The query of listRuns."""

    plan_name = Text(least=1, most=PLAN_NAME_LENGTH)
    task_name = Text(least=1, most=TASK_NAME_LENGTH)
    status = Items(RunStatusField(), most=7)
    label = Items(Text(most=320, pattern=r"^[^=]{1,63}=[\s\S]{0,255}$"), most=32)
    created_after = Moment()
    created_before = Moment()
    finished_after = Moment()
    finished_before = Moment()
    parent_cid = Text(least=1, most=CID_LENGTH)
    retry_of = Text(least=1, most=CID_LENGTH)
    q = Text(least=1, most=200)
    include = CommaSeparated(RunIncludeField(), most=2)
    limit = QueryInt32(least=1, most=1000, load_default=50)
    cursor = Text(least=1, most=512)


class GetRunPathSchema(PathSchema):
    """The path of getRun."""

    cid = Text(least=1, most=CID_LENGTH, required=True)


class GetRunQuerySchema(QuerySchema):
    """The query of getRun."""

    wait_sec = QueryDouble(least=0, most=55, load_default=0)


class GetRunTimelinePathSchema(GetRunPathSchema):
    """The path of getRunTimeline."""


class ListRunCallbacksPathSchema(GetRunPathSchema):
    """The path of listRunCallbacks."""


class GetRunDefinitionPathSchema(GetRunPathSchema):
    """The path of getRunDefinition."""


class RunDefinitionSchema(AnswerSchema):
    """RunDefinition."""

    cid = CidField(required=True)
    definition_digest = Text(required=True)
    task = Nested(TaskDetailSchema, required=True)
    document = JsonObjectField(required=True)


class CallbackStatusField(Word):
    """CallbackStatus."""

    words: ClassVar = tuple(CallbackStatus)


class CallbackTryStatusField(Word):
    """CallbackTryStatus."""

    words: ClassVar = (CallbackStatus.DELIVERED, CallbackStatus.FAILED)


class RunCallbackSchema(AnswerSchema):
    """RunCallback."""

    number = Int32(least=1, required=True)
    status = CallbackTryStatusField(required=True)
    started_at = Moment(required=True)
    duration_sec = Double(least=0, required=True)
    status_code = Int32(least=100, most=999)
    error = Text()
    next_at = Moment()


class RunCallbackListSchema(AnswerSchema):
    """RunCallbackList."""

    items = Items(Nested(RunCallbackSchema), required=True)
    next_cursor = Text()
    url = Text()
    status = CallbackStatusField()
    next_at = Moment()


class RunErrorSchema(AnswerSchema):
    """RunError."""

    type = Text(required=True)
    message = Text(required=True)
    step = Text()
    traceback = Text()


class RunCancelSchema(AnswerSchema):
    """RunCancel."""

    mode = CancelModeField(required=True)
    reason = Text()
    requested_by = Text()
    requested_at = Moment(required=True)


class StepCallSchema(AnswerSchema):
    """StepCall."""

    loop_index = Int32(least=0)
    tried = Int32(least=1, required=True)
    status = TimelineStatusField(required=True)
    started_at = Moment(required=True)
    finished_at = Moment(required=True)


class TimelineStepSchema(AnswerSchema):
    """TimelineStep."""

    node_id = Text(required=True)
    attempt = Int32(least=1)
    is_reused = Flag(required=True)
    status = TimelineStatusField(required=True)
    started_at = Moment()
    finished_at = Moment()
    tries = Int32(least=0, required=True)
    worker = Text()
    error = Nested(RunErrorSchema)
    calls = Items(Nested(StepCallSchema), most=1000)


class RunTimelineSchema(AnswerSchema):
    """RunTimeline."""

    cid = CidField(required=True)
    status = RunStatusField(required=True)
    started_at = Moment()
    finished_at = Moment()
    steps = Items(Nested(TimelineStepSchema), required=True)


class WaitingReasonSchema(AnswerSchema):
    """WaitingReason."""

    code = WaitingCodeField(required=True)
    since = Moment()
    until = Moment()
    resource = Text()
    blocking_cids = Items(CidField(), most=20)


class WaitingSchema(AnswerSchema):
    """Waiting."""

    position = Int64(least=1)
    ahead = Int64(least=0)
    reasons = Items(Nested(WaitingReasonSchema), required=True)


class RunSummarySchema(AnswerSchema):
    """RunSummary."""

    cid = CidField(required=True)
    plan_name = Text(required=True)
    task_name = Text(required=True)
    status = RunStatusField(required=True)
    priority = Int32(least=-100, most=100, required=True)
    labels = LabelsField(required=True)
    attempt = Int32(least=1, required=True)
    parent_cid = CidField()
    created_at = Moment(required=True)
    run_at = Moment()
    started_at = Moment()
    finished_at = Moment()
    retry_of = CidField()
    error = Nested(RunErrorSchema)
    inputs = JsonObjectField()
    result = JsonValueField()


class RunFinishedEventSchema(AnswerSchema):
    """RunFinishedEvent."""

    type = Text(required=True)
    timestamp = Moment(required=True)
    data = Nested(RunSummarySchema, required=True)


class RunListSchema(AnswerSchema):
    """RunList."""

    items = Items(Nested(RunSummarySchema), required=True)
    next_cursor = Text()


class RunSchema(RunSummarySchema):
    """Run."""

    timeout_sec = Double(least=0)
    worker = Text()
    inputs = JsonObjectField(required=True)
    cancel = Nested(RunCancelSchema)
    waiting = Nested(WaitingSchema)
    definition_digest = Text(required=True)
    plan_digest = Text(required=True)
    traceparent = Text()
    tracestate = Text()


class ProgressSchema(AnswerSchema):
    """Progress."""

    fraction = Double(least=0, most=1, required=True)
    message = Text()


class ActiveRunSchema(AnswerSchema):
    """ActiveRun."""

    cid = CidField(required=True)
    plan_name = Text(required=True)
    task_name = Text(required=True)
    status = RunStatusField(required=True)
    priority = Int32(least=-100, most=100, required=True)
    labels = LabelsField(required=True)
    attempt = Int32(least=1, required=True)
    created_at = Moment(required=True)
    started_at = Moment(required=True)
    worker = Text()
    current_steps = Items(Text(), required=True)
    progress = Nested(ProgressSchema)


class ActiveRunListSchema(AnswerSchema):
    """ActiveRunList."""

    items = Items(Nested(ActiveRunSchema), required=True)
    next_cursor = Text()
