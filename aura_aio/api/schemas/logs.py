"""Components and parameters of the tag `logs`.

May import `schemas.fields`, `schemas.bases`, `schemas.common` and `model` only.
"""

from typing import ClassVar

from aura_aio.api.schemas.bases import AnswerSchema, HeadersSchema, PathSchema, QuerySchema
from aura_aio.api.schemas.common import (
    CID_LENGTH,
    PLAN_NAME_LENGTH,
    TASK_NAME_LENGTH,
    CidField,
    JsonObjectField,
)
from aura_aio.api.schemas.fields import (
    Int32,
    Int64,
    Items,
    Moment,
    Nested,
    QueryDouble,
    QueryFlag,
    QueryInt32,
    QueryInt64,
    Text,
    Word,
)
from aura_aio.model.audit import AuditOutcome
from aura_aio.model.log import LogLevel


class LogLevelField(Word):
    """LogLevel."""

    words: ClassVar = tuple(LogLevel)


class AuditOutcomeField(Word):
    """AuditOutcome."""

    words: ClassVar = tuple(AuditOutcome)


class ListAuditEventsQuerySchema(QuerySchema):
    """The query of listAuditEvents."""

    operation = Text(least=1, most=100)
    outcome = AuditOutcomeField()
    by = Text(least=1, most=100)
    cid = Text(least=1, most=CID_LENGTH)
    plan_name = Text(least=1, most=PLAN_NAME_LENGTH)
    after = Moment()
    before = Moment()
    limit = QueryInt32(least=1, most=1000, load_default=50)
    cursor = Text(least=1, most=512)


class AuditEventSchema(AnswerSchema):
    """AuditEvent."""

    number = Int64(least=1, required=True)
    at = Moment(required=True)
    operation = Text(required=True)
    outcome = AuditOutcomeField(required=True)
    reason = Text()
    by = Text(required=True)
    by_token_id = Text()
    remote = Text()
    request_id = Text()
    cid = Text()
    run_count = Int32(least=0, required=True)
    plan_name = Text()
    task_name = Text()
    schedule_id = Text()
    token_id = Text()


class AuditEventListSchema(AnswerSchema):
    """AuditEventList."""

    items = Items(Nested(AuditEventSchema), required=True)
    next_cursor = Text()


class ListRunLogsPathSchema(PathSchema):
    """The path of listRunLogs."""

    cid = Text(least=1, most=CID_LENGTH, required=True)


class ListRunLogsQuerySchema(QuerySchema):
    """The query of listRunLogs."""

    level = LogLevelField(load_default="debug")
    step = Text(least=1, most=255)
    wait_sec = QueryDouble(least=0, most=55, load_default=0)
    limit = QueryInt32(least=1, most=1000, load_default=50)
    cursor = Text(least=1, most=512)


class ListLogsQuerySchema(QuerySchema):
    """The query of listLogs."""

    level = LogLevelField(load_default="debug")
    cid = Text(least=1, most=CID_LENGTH)
    plan_name = Text(least=1, most=PLAN_NAME_LENGTH)
    task_name = Text(least=1, most=TASK_NAME_LENGTH)
    step = Text(least=1, most=255)
    since = QueryInt64(least=0, most=2**53 - 1, load_default=0)
    wait_sec = QueryDouble(least=0, most=55, load_default=0)
    limit = QueryInt32(least=1, most=1000, load_default=50)
    cursor = Text(least=1, most=512)


class ConnectLogStreamQuerySchema(QuerySchema):
    """The query of connectLogStream."""

    level = LogLevelField(load_default="debug")
    cid = Text(least=1, most=CID_LENGTH)
    plan_name = Text(least=1, most=PLAN_NAME_LENGTH)
    task_name = Text(least=1, most=TASK_NAME_LENGTH)
    since = QueryInt64(least=0, most=2**53 - 1)
    tail = QueryInt32(least=0, most=10_000)
    batch = QueryFlag(load_default=False)


class StreamLogsQuerySchema(QuerySchema):
    """The query of streamLogs."""

    level = LogLevelField(load_default="debug")
    cid = Text(least=1, most=CID_LENGTH)
    plan_name = Text(least=1, most=PLAN_NAME_LENGTH)
    task_name = Text(least=1, most=TASK_NAME_LENGTH)
    since = QueryInt64(least=0, most=2**53 - 1)
    tail = QueryInt32(least=0, most=10_000)


class StreamLogsHeadersSchema(HeadersSchema):
    """The headers of streamLogs."""

    last_event_id = Text(most=16, pattern="^[0-9]{1,16}$", data_key="Last-Event-ID")


class LogEntrySchema(AnswerSchema):
    """LogEntry."""

    seq = Int64(least=1, required=True)
    timestamp = Moment(required=True)
    level = LogLevelField(required=True)
    logger = Text(required=True)
    message = Text(required=True)
    cid = CidField()
    plan_name = Text()
    task_name = Text()
    step = Text()
    attempt = Int32(least=1)
    worker = Text()
    data = JsonObjectField()


class LogEntryPageSchema(AnswerSchema):
    """LogEntryPage."""

    items = Items(Nested(LogEntrySchema), required=True)
    next_cursor = Text()
