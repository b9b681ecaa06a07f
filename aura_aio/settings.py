"""The settings: one frozen tree, a branch for each part of the server.

May import the standard library, msgspec, `run_settings` and `store_settings` only;
`settings_table` makes it.
"""

from ipaddress import ip_address
from typing import Annotated

import msgspec
from msgspec import Meta

from aura_aio.run_settings import RunSettings
from aura_aio.store_settings import StoreSettings


class HttpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where and how the server answers HTTP."""

    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[
        int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    ] = 18098
    require_token: Annotated[
        str,
        Meta(
            pattern="^(auto|always|never)$",
            description="When a token is needed. auto: always on other than loopback addresses, "
            "and on these once one was made, or once other hosts are allowed; never: possible on "
            "loopback addresses only.",
        ),
    ] = "auto"  # noqa: S105 - when, not which
    allowed_hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="Name by which the server is reached, beside localhost and addresses; may "
            "be given several times.",
            extra={"separator": ","},
        ),
    ] = ()
    cors_origins: Annotated[
        tuple[str, ...],
        Meta(
            description="Origin whose pages may use the API, like https://tools.example.org; may "
            "be given several times.",
            extra={"separator": ","},
        ),
    ] = ()
    max_body_bytes: Annotated[
        int, Meta(ge=1024, description="Largest request body, in bytes; a larger one answers 413.")
    ] = 1_048_576
    max_json_depth: Annotated[
        int,
        Meta(
            ge=8,
            le=500,
            description="How deep a request's JSON may be nested; more answers 400.",
        ),
    ] = 100
    max_batch_tasks: Annotated[
        int, Meta(ge=1, le=1000, description="Tasks in one batch; more answer 422.")
    ] = 1000
    max_url_bytes: Annotated[
        int,
        Meta(
            ge=1024, le=1_048_576, description="Longest address of a request; longer answers 414."
        ),
    ] = 65_536
    max_header_bytes: Annotated[
        int, Meta(ge=1024, description="Longest header of a request; a longer one answers 431.")
    ] = 8190
    max_headers: Annotated[
        int, Meta(ge=16, description="Headers that a request may have; more answer 431.")
    ] = 128
    head_timeout_sec: Annotated[
        float,
        Meta(
            gt=0,
            description="How long address and headers of a request may take to come, in seconds; "
            "then 408 is answered.",
        ),
    ] = 20.0
    body_timeout_sec: Annotated[
        float,
        Meta(
            gt=0,
            description="How long a request's body may take to come, in seconds; then 408 is "
            "answered.",
        ),
    ] = 60.0
    idle_timeout_sec: Annotated[
        float,
        Meta(
            gt=0,
            description="How long a connection is kept that asks for nothing, in seconds. A proxy "
            "before the server should let go of it earlier.",
        ),
    ] = 75.0
    max_connections: Annotated[
        int,
        Meta(
            ge=16,
            description="Connections at a time, those of monitors included; one more is answered "
            "503 and closed. It is never more than the system lets the server have open.",
        ),
    ] = 10_000
    max_in_flight: Annotated[
        int,
        Meta(
            ge=8,
            description="Requests that are worked on at a time, and as many whose body still "
            "comes; one more answers 503. Monitors, and requests that only wait, do not count.",
        ),
    ] = 100
    shutdown_grace_sec: Annotated[
        float, Meta(ge=0, description="How long runs may go on after SIGTERM, in seconds.")
    ] = 10.0
    shutdown_force_sec: Annotated[
        float,
        Meta(ge=0, description="How long connections may take to end after that, in seconds."),
    ] = 5.0

    @property
    def shutdown_sec(self) -> float:
        """How long runs and connections may go on after SIGTERM, in seconds."""
        return self.shutdown_grace_sec + self.shutdown_force_sec

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False


class RetentionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long what has happened is kept."""

    keep_runs_days: Annotated[
        float,
        Meta(
            ge=0,
            description="Days that a run is kept after its end, with its steps and callbacks; "
            "0: for ever. Never those that are active, nor a part of a family of runs.",
        ),
    ] = 90.0
    keep_runs: Annotated[
        int, Meta(ge=0, description="Ended runs that are kept, the newest; 0: all.")
    ] = 1_000_000
    keep_logs_days: Annotated[
        float, Meta(ge=0, description="Days that the entries of the log are kept; 0: for ever.")
    ] = 30.0
    keep_logs: Annotated[
        int, Meta(ge=0, description="Entries of the log that are kept, the newest; 0: all.")
    ] = 10_000_000
    keep_audit_days: Annotated[
        float,
        Meta(
            ge=0,
            description="Days that the events of the audit trail are kept, and not less than the "
            "run that they are of; 0: for ever.",
        ),
    ] = 365.0
    min_free_mib: Annotated[
        int,
        Meta(
            ge=0,
            description="Room that the disk of the database must have, in MiB; with less, new runs "
            "are refused with 503, and the server is not ready. 0: not looked at.",
        ),
    ] = 256


class PlanSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where plans are found."""

    plans: Annotated[
        tuple[str, ...], Meta(description="Folder of plans; may be given several times.")
    ] = ("plans",)
    hot_reload: Annotated[
        bool, Meta(description="Watch the folders of plans, and load what is edited at once.")
    ] = False


class ScheduleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What starts runs by itself."""

    schedule_late_sec: Annotated[
        float,
        Meta(
            ge=0,
            description="How late a due time may be and still be on time, in seconds; if it is "
            "later, the schedule's catch_up decides.",
        ),
    ] = 60.0
    catch_up_limit: Annotated[
        int,
        Meta(ge=1, le=10_000, description="Due times that catch_up: all makes up for at the most."),
    ] = 100
    event_depth: Annotated[
        int,
        Meta(
            ge=0,
            description="How many runs may follow from each other by events (`on`); so tasks that "
            "start each other in a ring come to an end.",
        ),
    ] = 10
    child_depth: Annotated[
        int, Meta(ge=0, le=100, description="How deep child runs go; a child's child is 2 deep.")
    ] = 16


class WorkerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The processes that execute runs."""

    workers: Annotated[
        int,
        Meta(ge=-1, description="Worker processes; -1: one per core, 0: run inside the server."),
    ] = -1
    slots: Annotated[int, Meta(ge=1, le=1024, description="Runs at a time in one worker.")] = 16
    api_only: Annotated[
        bool,
        Meta(
            description="Have no workers: others on the database carry out what this server "
            "accepts, servers or hosts of workers (PostgreSQL only)."
        ),
    ] = False
    health_address: Annotated[
        str,
        Meta(
            pattern=r"^(\S+:\d{1,5})?$",
            description="host:port at which `aura worker` answers /healthz, /readyz and /metrics; "
            "empty: nowhere.",
        ),
    ] = ""
    start: Annotated[
        bool,
        Meta(
            description="Start queued runs from the beginning; else not before: aura system start."
        ),
    ] = True
    worker_memory_mib: Annotated[
        int,
        Meta(
            ge=-1,
            description="Memory that a worker may allocate, in MiB (Linux and macOS); more is a "
            "MemoryError in the action. 0: no limit; -1: 80% of the machine's over all workers.",
        ),
    ] = -1
    stall_sec: Annotated[
        float,
        Meta(gt=0, description="How long an async action may hold a worker's loop, in seconds."),
    ] = 10.0
    lost_sec: Annotated[
        float,
        Meta(gt=0, description="Silence after which a worker counts as lost and is killed."),
    ] = 30.0
    secrets_file: Annotated[
        str,
        Meta(
            description="File with the secrets of templates, a line NAME=value each, which others "
            "than its owner and group cannot read. A variable AURA_SECRET_NAME wins over its line.",
        ),
    ] = ""
    allow_shell: Annotated[
        bool,
        Meta(description="Let tasks run programs with the action shell.run: any, as this user."),
    ] = False


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The server's own log and the log stream."""

    log_level: Annotated[
        str,
        Meta(
            pattern="^(debug|info|warning|error|critical)$",
            description="Lowest level that the server itself logs.",
        ),
    ] = "info"
    log_format: Annotated[
        str,
        Meta(
            pattern="^(text|json)$",
            description="How the server writes its own log to the standard error output: lines for "
            "people, or a JSON object a line.",
        ),
    ] = "text"
    log_queue_lines: Annotated[
        int, Meta(ge=1024, description="Bound of the shared log queue, in lines.")
    ] = 65_536
    monitor_buffer_lines: Annotated[
        int, Meta(ge=1, description="Lines kept for a slow log monitor before some are dropped.")
    ] = 10_000
    max_monitors: Annotated[
        int, Meta(ge=0, description="Monitors of the log at a time; one more answers 503.")
    ] = 5000
    heartbeat_sec: Annotated[
        float, Meta(gt=0, description="How often a silent monitor is asked whether it lives.")
    ] = 20.0


class CallbackSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is told of the ends of runs, and to whom."""

    callback_secrets: Annotated[
        tuple[str, ...],
        Meta(
            description="Secret that callbacks are signed with (whsec_…); with several each signs, "
            "so that one can take the place of another. Without one, the file callbacks.key in the "
            "data folder, which is made if missing. Better in the variable.",
            extra={"secret": True, "separator": ","},
        ),
    ] = ()
    callback_hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="Host that callbacks may go to, like hooks.example.org, or *.example.org "
            "for all below it; may be given several times. Without one: to every host.",
            extra={"separator": ","},
        ),
    ] = ()
    callback_private: Annotated[
        bool,
        Meta(
            description="Let callbacks go to addresses that are not public: of this machine, of "
            "its network, of a cloud's metadata."
        ),
    ] = False
    callback_tries: Annotated[
        int, Meta(ge=1, le=100, description="How often a callback is tried until it is given up.")
    ] = 10
    callback_retry_sec: Annotated[
        float,
        Meta(
            gt=0,
            le=3600,
            description="How long to wait before the second try, in seconds; before each further "
            "one three times as long, six hours at the most.",
        ),
    ] = 5.0
    callback_timeout_sec: Annotated[
        float, Meta(gt=0, le=300, description="How long a callback may take, in seconds.")
    ] = 15.0
    callbacks_at_once: Annotated[
        int, Meta(ge=1, le=256, description="Callbacks that are under way at a time.")
    ] = 16


class TraceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where spans of requests, runs and steps are sent."""

    otel_endpoint: Annotated[
        str,
        Meta(
            description="Collector of OpenTelemetry that traces are sent to (OTLP over HTTP), like "
            "http://127.0.0.1:4318; empty: none are made. Needs pip install 'aura-aio[otel]'. "
            "OpenTelemetry's own variables (OTEL_…) say the rest: headers, sampling, names.",
        ),
    ] = ""


class ClientSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the commands need that talk to a server."""

    url: Annotated[str, Meta(description="Address of the server that commands talk to.")] = (
        "http://127.0.0.1:18098"
    )
    token: Annotated[
        str,
        Meta(
            description="Token to show to the server. Better in the variable: other users of the "
            "machine can read the command line.",
            extra={"secret": True},
        ),
    ] = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings; each part of the server is given its own branch."""

    http: HttpSettings = HttpSettings()
    store: StoreSettings = StoreSettings()
    retention: RetentionSettings = RetentionSettings()
    plans: PlanSettings = PlanSettings()
    schedules: ScheduleSettings = ScheduleSettings()
    workers: WorkerSettings = WorkerSettings()
    runs: RunSettings = RunSettings()
    logs: LogSettings = LogSettings()
    callbacks: CallbackSettings = CallbackSettings()
    traces: TraceSettings = TraceSettings()
    client: ClientSettings = ClientSettings()
