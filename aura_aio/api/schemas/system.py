"""Components and parameters of the tag `system`.

May import `schemas.fields`, `schemas.bases` and `schemas.common` only.
"""

from typing import ClassVar

from aura_aio.api.schemas.bases import AnswerSchema, RequestSchema
from aura_aio.api.schemas.common import CidField
from aura_aio.api.schemas.fields import (
    Double,
    Flag,
    Int32,
    Int64,
    Items,
    Moment,
    Nested,
    Text,
    Word,
)


class StartStatusField(Word):
    """StartStatus."""

    words: ClassVar = ("started", "already_running")


class StopModeField(Word):
    """StopMode."""

    words: ClassVar = ("drain", "cancel")


class StopStatusField(Word):
    """StopStatus."""

    words: ClassVar = ("stopping", "already_stopped")


class SystemStateField(Word):
    """SystemState."""

    words: ClassVar = ("stopped", "starting", "running", "draining")


class WorkerStateField(Word):
    """WorkerState."""

    words: ClassVar = ("starting", "ready", "retiring")


class HotReloadStatusField(Word):
    """HotReloadStatus."""

    words: ClassVar = ("enabled", "already_enabled", "disabled", "already_disabled")


class StartResultSchema(AnswerSchema):
    """StartResult."""

    status = StartStatusField(required=True)
    message = Text(required=True)


class StopRequestSchema(RequestSchema):
    """StopRequest."""

    mode = StopModeField(load_default="drain")
    timeout_sec = Double(least=0, most=86400)


class StopResultSchema(AnswerSchema):
    """StopResult."""

    status = StopStatusField(required=True)
    message = Text(required=True)
    active_run_count = Int32(least=0, required=True)


class WorkerStatusSchema(AnswerSchema):
    """WorkerStatus."""

    name = Text(required=True)
    pid = Int64(least=0)
    state = WorkerStateField(required=True)
    slots = Int32(least=0, required=True)
    busy = Int32(least=0, required=True)


class RunCountsSchema(AnswerSchema):
    """RunCounts."""

    queued = Int64(least=0, required=True)
    running = Int64(least=0, required=True)
    cancelling = Int64(least=0, required=True)
    succeeded = Int64(least=0, required=True)
    failed = Int64(least=0, required=True)
    timed_out = Int64(least=0, required=True)
    cancelled = Int64(least=0, required=True)


class QueueLengthsSchema(AnswerSchema):
    """QueueLengths."""

    ready_length = Int64(least=0, required=True)
    delayed_length = Int64(least=0, required=True)


class LogStreamCountersSchema(AnswerSchema):
    """LogStreamCounters."""

    monitors = Int32(least=0, required=True)
    oldest_seq = Int64(least=0, required=True)
    last_seq = Int64(least=0, required=True)
    queued_lines = Int64(least=0, required=True)
    dropped_entries = Int64(least=0, required=True)


class SystemStatusSchema(AnswerSchema):
    """SystemStatus."""

    is_running = Flag(required=True)
    state = SystemStateField(required=True)
    version = Text(required=True)
    started_at = Moment(required=True)
    uptime_sec = Double(least=0, required=True)
    hot_reload = Flag(required=True)
    workers = Items(Nested(WorkerStatusSchema), required=True)
    runs = Nested(RunCountsSchema, required=True)
    queue = Nested(QueueLengthsSchema, required=True)
    log_stream = Nested(LogStreamCountersSchema, required=True)


class ReloadRequestSchema(RequestSchema):
    """ReloadRequest."""

    force = Flag(load_default=False)


class ReloadResultSchema(AnswerSchema):
    """ReloadResult."""

    plan_count = Int32(least=0, required=True)
    task_count = Int32(least=0, required=True)
    task_error_count = Int32(least=0, required=True)


class HotReloadResultSchema(AnswerSchema):
    """HotReloadResult."""

    status = HotReloadStatusField(required=True)
    message = Text(required=True)


class LimitsInForceSchema(AnswerSchema):
    """LimitsInForce."""

    max_body_bytes = Int64(least=0, required=True)
    queue_limit = Int64(least=0, required=True)
    max_attempts = Int64(least=0, required=True)
    workers = Int64(least=0, required=True)
    slots = Int64(least=0, required=True)
    catch_up_limit = Int64(least=0, required=True)
    event_depth = Int64(least=0, required=True)
    monitor_buffer_lines = Int64(least=0, required=True)
    max_json_depth = Int64(least=0, required=True)
    max_batch_tasks = Int64(least=0, required=True)
    max_url_bytes = Int64(least=0, required=True)
    max_header_bytes = Int64(least=0, required=True)
    max_headers = Int64(least=0, required=True)
    max_connections = Int64(least=0, required=True)
    max_in_flight = Int64(least=0, required=True)
    max_monitors = Int64(least=0, required=True)
    max_inputs_bytes = Int64(least=0, required=True)


class FeaturesSchema(AnswerSchema):
    """Features."""

    access_tokens = Flag(required=True)
    cors = Flag(required=True)
    hot_reload = Flag(required=True)
    shell = Flag(required=True)


class CapabilitiesSchema(AnswerSchema):
    """Capabilities."""

    version = Text(required=True)
    store = Text(required=True)
    dispatcher = Text(required=True)
    limits = Nested(LimitsInForceSchema, required=True)
    features = Nested(FeaturesSchema, required=True)


class RecoveredRunsSchema(AnswerSchema):
    """RecoveredRuns."""

    count = Int64(least=0, required=True)
    cids = Items(CidField(), most=1000, required=True)


class RecoverySchema(AnswerSchema):
    """Recovery."""

    at = Moment(required=True)
    duration_sec = Double(least=0, required=True)
    resumed = Nested(RecoveredRunsSchema, required=True)
    restarted = Nested(RecoveredRunsSchema, required=True)
    failed = Nested(RecoveredRunsSchema, required=True)
    cancelled = Nested(RecoveredRunsSchema, required=True)
