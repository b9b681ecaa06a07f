"""Components and parameters of the tag `plans`.

May import `schemas.fields`, `schemas.bases`, `schemas.common` and `model` only.
"""

from typing import ClassVar

from aura_aio.api.schemas.bases import AnswerSchema, PathSchema, RequestSchema
from aura_aio.api.schemas.common import (
    PLAN_NAME_LENGTH,
    TASK_NAME_LENGTH,
    JsonObjectField,
    JsonValueField,
)
from aura_aio.api.schemas.fields import Double, Flag, Int32, Items, Nested, Text, Word
from aura_aio.model.plan import Isolation, StepStatus
from aura_aio.model.run import OnCrash

DOCUMENT_LENGTH = 262_144


class ConcurrencyModeField(Word):
    """ConcurrencyMode."""

    words: ClassVar = ("exclusive", "concurrent", "shared")


class OnCrashField(Word):
    """OnCrash."""

    words: ClassVar = tuple(OnCrash)


class StepStatusField(Word):
    """StepStatus."""

    words: ClassVar = tuple(StepStatus)


class LoopKindField(Word):
    """LoopKind."""

    words: ClassVar = ("for_each", "times", "while")


class DependencyGroupField(Word):
    """DependencyGroup."""

    words: ClassVar = ("all", "any", "none")


class GetPlanPathSchema(PathSchema):
    """The path of getPlan."""

    plan_name = Text(least=1, most=PLAN_NAME_LENGTH, required=True)


class ListPlanTasksPathSchema(GetPlanPathSchema):
    """The path of listPlanTasks."""


class GetTaskPathSchema(GetPlanPathSchema):
    """The path of getTask."""

    task_name = Text(least=1, most=TASK_NAME_LENGTH, required=True)


class PlanSummarySchema(AnswerSchema):
    """PlanSummary."""

    name = Text(required=True)
    title = Text()
    version = Text()
    digest = Text(required=True)
    task_count = Int32(least=0, required=True)
    task_error_count = Int32(least=0, required=True)


class PlanListSchema(AnswerSchema):
    """PlanList."""

    items = Items(Nested(PlanSummarySchema), required=True)
    next_cursor = Text()


class LoadErrorSchema(AnswerSchema):
    """LoadError."""

    file = Text(required=True)
    line = Int32(least=1)
    column = Int32(least=1)
    path = Text()
    message = Text(required=True)


class PlanSchema(PlanSummarySchema):
    """Plan."""

    description = Text()
    load_errors = Items(Nested(LoadErrorSchema), required=True)


class ValidateTaskRequestSchema(RequestSchema):
    """ValidateTaskRequest."""

    document = Text(most=DOCUMENT_LENGTH, required=True)
    plan_name = Text(least=1, most=PLAN_NAME_LENGTH)
    file = Text(least=1, most=TASK_NAME_LENGTH)


class DocumentErrorSchema(AnswerSchema):
    """DocumentError."""

    line = Int32(least=1)
    column = Int32(least=1)
    path = Text()
    message = Text(required=True)


class TaskValidationSchema(AnswerSchema):
    """TaskValidation."""

    valid = Flag(required=True)
    errors = Items(Nested(DocumentErrorSchema), required=True)


class InputSpecSchema(AnswerSchema):
    """InputSpec."""

    name = Text(required=True)
    type = Text(required=True)
    required = Flag(required=True)
    default = JsonValueField()
    enum = Items(JsonValueField())
    min = Double()
    max = Double()
    min_items = Int32(least=0)
    max_items = Int32(least=0)
    item = Nested("InputSpecSchema")
    properties = Items(Nested("InputSpecSchema"))
    pattern = Text()
    label = Text()
    description = Text()
    ui = JsonObjectField()
    secret = Flag()


class ConcurrencySchema(AnswerSchema):
    """Concurrency."""

    mode = ConcurrencyModeField(required=True)
    resources = Items(Text())
    mutex_group = Text()
    max_instances = Int32(least=1)


class TaskMetaSchema(AnswerSchema):
    """TaskMeta."""

    title = Text()
    description = Text()
    inputs = Items(Nested(InputSpecSchema), required=True)
    concurrency = Nested(ConcurrencySchema, required=True)
    timeout_sec = Double(least=0)
    on_crash = OnCrashField(required=True)


class TaskSummarySchema(AnswerSchema):
    """TaskSummary."""

    full_task_id = Text(required=True)
    plan_name = Text(required=True)
    task_name_in_plan = Text(required=True)
    meta = Nested(TaskMetaSchema, required=True)
    inputs_schema = JsonObjectField(required=True)


class TaskListSchema(AnswerSchema):
    """TaskList."""

    items = Items(Nested(TaskSummarySchema), required=True)
    next_cursor = Text()


class StepNodeSchema(AnswerSchema):
    """StepNode."""

    node_id = Text(required=True)
    action = Text(required=True)
    when = Text()
    loop = LoopKindField()
    timeout_sec = Double(least=0)
    step_note = Text()


class StepEdgeSchema(AnswerSchema):
    """StepEdge."""

    source = Text(required=True)
    target = Text(required=True)
    statuses = Items(StepStatusField())
    group = DependencyGroupField()


class StepGraphSchema(AnswerSchema):
    """StepGraph."""

    nodes = Items(Nested(StepNodeSchema), required=True)
    edges = Items(Nested(StepEdgeSchema), required=True)


class TaskDetailSchema(TaskSummarySchema):
    """TaskDetail."""

    graph = Nested(StepGraphSchema, required=True)


class IsolationField(Word):
    """Isolation."""

    words: ClassVar = tuple(Isolation)


class ActionParameterSchema(AnswerSchema):
    """ActionParameter."""

    name = Text(required=True)
    type = Text()
    required = Flag(required=True)
    default = Text()


class ActionSchema(AnswerSchema):
    """Action."""

    name = Text(required=True)
    plan_name = Text()
    doc = Text()
    timeout_sec = Double(least=0)
    isolation = IsolationField()
    parameters = Items(Nested(ActionParameterSchema), required=True)


class ActionListSchema(AnswerSchema):
    """ActionList."""

    items = Items(Nested(ActionSchema), required=True)
    next_cursor = Text()
