"""The settings: one frozen tree, made once from flags, environment and file; one table of them all.

May import the standard library, msgspec and `model` only; nothing else reads the environment.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from aura_aio.model.errors import SettingsError

ENV_PREFIX: Final = "AURA_"
DEFAULT_FILE: Final = "aura.toml"


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
    shutdown_grace_sec: Annotated[
        float, Meta(ge=0, description="How long runs may go on after SIGTERM, in seconds.")
    ] = 10.0
    shutdown_force_sec: Annotated[
        float,
        Meta(ge=0, description="How long connections may take to end after that, in seconds."),
    ] = 5.0

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where everything that survives is kept."""

    data_dir: Annotated[
        str, Meta(description="Folder for the database and the data of plans; made if missing.")
    ] = ".aura"
    database: Annotated[
        str,
        Meta(description="SQLite file of the runs and logs; empty: aura.db in the data folder."),
    ] = ""
    queue_limit: Annotated[
        int, Meta(ge=1, description="How many runs may be queued; one more answers 429.")
    ] = 1_000_000
    max_attempts: Annotated[
        int,
        Meta(ge=1, description="Attempts a run may lose its worker in; then it fails (PoisonRun)."),
    ] = 3


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
    plans: PlanSettings = PlanSettings()
    schedules: ScheduleSettings = ScheduleSettings()
    workers: WorkerSettings = WorkerSettings()
    logs: LogSettings = LogSettings()
    callbacks: CallbackSettings = CallbackSettings()
    client: ClientSettings = ClientSettings()


class Setting(msgspec.Struct, frozen=True):
    """One row of the table: `name` is unique over all branches."""

    branch: str
    name: str
    type: Any
    default: Any
    help: str
    separator: str = os.pathsep
    """What stands between several values in the variable."""
    is_secret: bool = False
    """Whether its value is shown to nobody."""

    @property
    def flag(self) -> str:
        """The option of the command line: `--data-dir`."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The variable of the environment: `AURA_DATA_DIR`."""
        return ENV_PREFIX + self.name.upper()


def settings_table() -> Iterator[Setting]:
    """Every setting, branch by branch; flags, documentation and `aura config` are made from it."""
    for branch in msgspec.structs.fields(Settings):
        for field in msgspec.structs.fields(branch.type):
            kind = msgspec.inspect.type_info(field.type)
            help_text, extra = "", {}
            if isinstance(kind, msgspec.inspect.Metadata):
                help_text = (kind.extra_json_schema or {}).get("description", "")
                extra = kind.extra or {}
            yield Setting(
                branch=branch.name,
                name=field.name,
                type=field.type,
                default=field.default,
                help=help_text,
                separator=extra.get("separator", os.pathsep),
                is_secret=extra.get("secret", False),
            )


def load_settings(
    flags: Mapping[str, Any], environ: Mapping[str, str], file: Path | None = None
) -> Settings:
    """The settings: a flag wins over the environment, that over the file, that over the default.

    `flags` holds values by setting name, without those that were not given. `file` is TOML with a
    table per branch; without it `aura.toml` in the working directory is read when there is one.

    Raises:
        SettingsError: a value does not fit, or the file cannot be read; it names the source.
    """
    document = _read_file(file)
    tree: dict[str, dict[str, Any]] = {}
    for setting in settings_table():
        found = _find(setting, flags, environ, document)
        if found is None:
            continue
        value, source = found
        try:
            checked = msgspec.convert(value, setting.type, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(f"{source}: {error}") from error
        tree.setdefault(setting.branch, {})[setting.name] = checked
    return msgspec.convert(tree, Settings)


def settings_sources(
    flags: Mapping[str, Any], environ: Mapping[str, str], file: Path | None = None
) -> dict[str, str]:
    """Where each setting comes from that is not left at its default: its flag, its variable or its
    place in the file, by setting name. Takes and raises what `load_settings` does.
    """
    document = _read_file(file)
    found = {each.name: _find(each, flags, environ, document) for each in settings_table()}
    return {name: value[1] for name, value in found.items() if value is not None}


def _find(
    setting: Setting,
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    document: Mapping[str, Any],
) -> tuple[Any, str] | None:
    if setting.name in flags:
        return flags[setting.name], setting.flag
    if setting.variable in environ:
        text = environ[setting.variable]
        if isinstance(setting.default, tuple):
            parts = (part.strip() for part in text.split(setting.separator))
            return [part for part in parts if part], setting.variable
        return text, setting.variable
    branch = document.get(setting.branch, {})
    if setting.name in branch:
        return branch[setting.name], f"[{setting.branch}] {setting.name} in the settings file"
    return None


def _read_file(file: Path | None) -> Mapping[str, Any]:
    path = file if file is not None else Path(DEFAULT_FILE)
    if file is None and not path.is_file():
        return {}
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error}") from error
    known: dict[str, set[str]] = {}
    for setting in settings_table():
        known.setdefault(setting.branch, set()).add(setting.name)
    for branch, values in document.items():
        if branch not in known or not isinstance(values, dict):
            raise SettingsError(f"{path}: there is no table [{branch}] of settings.")
        for name in values:
            if name not in known[branch]:
                raise SettingsError(f"{path}: [{branch}] has no setting {name!r}.")
    return document
