"""Components and parameters of the tag `tasks`.

May import `schemas.fields`, `schemas.bases`, `schemas.common` and `schemas.runs` only.
"""

from typing import ClassVar, Final

from aura_aio.api.schemas.bases import (
    AnswerSchema,
    ExclusiveSchema,
    HeadersSchema,
    PathSchema,
    RequestSchema,
)
from aura_aio.api.schemas.common import (
    CID_LENGTH,
    PLAN_NAME_LENGTH,
    STEP_NAME_LENGTH,
    TASK_NAME_LENGTH,
    CidField,
    JsonObjectField,
    LabelsField,
    ProblemSchema,
)
from aura_aio.api.schemas.fields import (
    Double,
    Flag,
    Int32,
    Int64,
    Items,
    ItemsJudgedLater,
    Moment,
    Nested,
    Text,
    Word,
)
from aura_aio.api.schemas.runs import (
    CancelModeField,
    RunStatusField,
    WaitingCodeField,
    WaitingSchema,
)
from aura_aio.model.states import RunState

CALLBACK_URL: Final = r"^https?://[A-Za-z0-9.:\[\]_-]{1,300}([/?][!$-~]*)?$"


class TaskBatchItemStatusField(Word):
    """TaskBatchItemStatus."""

    words: ClassVar = ("queued", "rejected")


class TaskStatusWordField(Word):
    """TaskStatusWord."""

    words: ClassVar = (*RunState, "not_found")


class StepOutlookField(Word):
    """StepOutlook."""

    words: ClassVar = ("run", "skip", "open")


class RetryDefinitionField(Word):
    """RetryDefinition."""

    words: ClassVar = ("pinned", "latest")


class RetryActionField(Word):
    """RetryAction."""

    words: ClassVar = ("run", "reuse", "skip")


class RunTaskHeadersSchema(HeadersSchema):
    """The headers of runTask."""

    idempotency_key = Text(least=1, most=255, pattern="^[!-~]+$", data_key="Idempotency-Key")


class RunTaskBatchHeadersSchema(RunTaskHeadersSchema):
    """The headers of runTaskBatch."""


class CancelTaskPathSchema(PathSchema):
    """The path of cancelTask."""

    cid = Text(least=1, most=CID_LENGTH, required=True)


class RetryTaskPathSchema(CancelTaskPathSchema):
    """The path of retryTask."""


class RetryTaskHeadersSchema(RunTaskHeadersSchema):
    """The headers of retryTask."""


class UpdateTaskPriorityPathSchema(CancelTaskPathSchema):
    """The path of updateTaskPriority."""


class AdHocTaskRequestSchema(ExclusiveSchema):
    """AdHocTaskRequest."""

    plan_name = Text(least=1, most=PLAN_NAME_LENGTH, required=True)
    task_name = Text(least=1, most=TASK_NAME_LENGTH, required=True)
    inputs = JsonObjectField(load_default=dict)
    priority = Int32(least=-100, most=100, load_default=0)
    delay_sec = Double(least=0, most=31_536_000)
    run_at = Moment()
    timeout_sec = Double(least=0.001, most=31_536_000)
    labels = LabelsField(load_default=dict)
    callback_url = Text(most=2048, pattern=CALLBACK_URL)

    excluded: ClassVar = ("delay_sec", "run_at")


class RunAcceptedSchema(AnswerSchema):
    """RunAccepted."""

    status = RunStatusField(required=True)
    message = Text(required=True)
    cid = CidField(required=True)


class TaskBatchRequestSchema(RequestSchema):
    """TaskBatchRequest."""

    tasks = ItemsJudgedLater(Nested(AdHocTaskRequestSchema), least=1, most=1000, required=True)
    atomic = Flag(load_default=False)


class TaskBatchItemSchema(AnswerSchema):
    """TaskBatchItem."""

    index = Int32(least=0, required=True)
    status = TaskBatchItemStatusField(required=True)
    cid = CidField()
    error = Nested(ProblemSchema)


class TaskBatchResultSchema(AnswerSchema):
    """TaskBatchResult."""

    items = Items(Nested(TaskBatchItemSchema), required=True)
    success_count = Int32(least=0, required=True)
    failed_count = Int32(least=0, required=True)


class TaskStatusBatchRequestSchema(RequestSchema):
    """TaskStatusBatchRequest."""

    cids = Items(Text(least=1, most=CID_LENGTH), least=1, most=1000, required=True)


class TaskStatusSchema(AnswerSchema):
    """TaskStatus."""

    cid = Text(required=True)
    status = TaskStatusWordField(required=True)
    plan_name = Text()
    task_name = Text()
    attempt = Int32(least=1)
    created_at = Moment()
    started_at = Moment()
    finished_at = Moment()


class TaskStatusBatchSchema(AnswerSchema):
    """TaskStatusBatch."""

    items = Items(Nested(TaskStatusSchema), required=True)


class CancelRequestSchema(RequestSchema):
    """CancelRequest."""

    mode = CancelModeField(load_default="graceful")
    grace_sec = Double(least=0, most=3600, load_default=10)
    reason = Text(most=1000)


class CancelAcceptedSchema(AnswerSchema):
    """CancelAccepted."""

    cid = CidField(required=True)
    status = RunStatusField(required=True)
    message = Text(required=True)


class UpdateTaskRunAtPathSchema(CancelTaskPathSchema):
    """The path of updateTaskRunAt."""


class RunAtRequestSchema(ExclusiveSchema):
    """RunAtRequest."""

    run_at = Moment()
    delay_sec = Double(least=0, most=31_536_000)

    excluded: ClassVar = ("delay_sec", "run_at")


class CancelTasksRequestSchema(RequestSchema):
    """CancelTasksRequest."""

    plan_name = Text(least=1, most=PLAN_NAME_LENGTH)
    task_name = Text(least=1, most=TASK_NAME_LENGTH)
    status = Items(RunStatusField(), most=7)
    labels = LabelsField(load_default=dict)
    created_after = Moment()
    created_before = Moment()
    q = Text(least=1, most=200)
    mode = CancelModeField(load_default="graceful")
    grace_sec = Double(least=0, most=3600, load_default=10)
    reason = Text(most=1000)


class CancelTasksResultSchema(AnswerSchema):
    """CancelTasksResult."""

    cancelled_count = Int64(least=0, required=True)
    cancelling_count = Int64(least=0, required=True)


class DryRunLimitSchema(AnswerSchema):
    """DryRunLimit."""

    code = WaitingCodeField(required=True)
    resource = Text()
    most = Int32(least=1, required=True)
    is_full = Flag(required=True)


class DryRunStepSchema(AnswerSchema):
    """DryRunStep."""

    node_id = Text(required=True)
    action = Text(required=True)
    outlook = StepOutlookField(required=True)
    why = Text(required=True)


class DryRunSchema(AnswerSchema):
    """DryRun."""

    plan_name = Text(required=True)
    task_name = Text(required=True)
    definition_digest = Text(required=True)
    inputs = JsonObjectField(required=True)
    waiting = Nested(WaitingSchema, required=True)
    limits = Items(Nested(DryRunLimitSchema), required=True)
    steps = Items(Nested(DryRunStepSchema), required=True)


class RetryRequestSchema(RequestSchema):
    """RetryRequest."""

    class Meta(RequestSchema.Meta):
        include: ClassVar = {  # a word of Python
            "from": Text(least=1, most=STEP_NAME_LENGTH, load_default="start")
        }

    inputs = JsonObjectField(load_default=dict)
    definition = RetryDefinitionField(load_default="pinned")
    dry_run = Flag(load_default=False)


class RetryStepSchema(AnswerSchema):
    """RetryStep."""

    node_id = Text(required=True)
    action = RetryActionField(required=True)
    why = Text(required=True)


class RetryResultSchema(AnswerSchema):
    """RetryResult."""

    status = RunStatusField()
    message = Text(required=True)
    cid = CidField()
    retry_of = CidField(required=True)
    steps = Items(Nested(RetryStepSchema), required=True)


class PriorityRequestSchema(RequestSchema):
    """PriorityRequest."""

    priority = Int32(least=-100, most=100, required=True)
