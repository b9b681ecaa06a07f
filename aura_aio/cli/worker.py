"""`aura worker`: carry out what servers on the same database have accepted.

May import click, settings and its table and `cli`; `worker` and `worker_host` only once it runs.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from aura_aio.cli.failure import Failure
from aura_aio.cli.open_files import allow_many_open_files
from aura_aio.cli.options import SettingsCommand, given_flags, options_of
from aura_aio.cli.screen import Screen
from aura_aio.cli.serve import config_option
from aura_aio.cli.server_log import server_log
from aura_aio.model.errors import AuraError
from aura_aio.secret_files import take_secrets
from aura_aio.settings_table import load_settings, settings_table

if TYPE_CHECKING:
    from aura_aio.worker_host import WorkerHost

_BRANCHES: Final = {"store", "plans", "workers", "runs", "traces"}
_SETTINGS: Final = {"log_level", "log_format", "child_depth", "event_depth", "shutdown_grace_sec"}
_OF_SERVERS: Final = {"queue_limit", "start", "api_only"}


def _names() -> tuple[str, ...]:
    return tuple(
        each.name
        for each in settings_table()
        if (each.branch in _BRANCHES or each.name in _SETTINGS) and each.name not in _OF_SERVERS
    )


@click.command(
    cls=SettingsCommand,
    epilog="Each setting is also a variable (--data-dir is AURA_DATA_DIR) and a line of the "
    "settings file. A flag wins over a variable, that over the file.",
)
@options_of(*_names())
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print what the host is called as JSON.")
def worker(*, file: Path | None, as_json: bool, **options: Any) -> None:
    """Carry out runs of servers on the same PostgreSQL database, until Ctrl-C or SIGTERM.

    It takes runs of the plans that it has. Runs under way get --shutdown-grace-sec seconds to
    finish; a second signal ends at once.
    """
    screen, is_up = Screen(as_json=as_json), False

    def ready(host: "WorkerHost") -> None:
        nonlocal is_up
        is_up = True
        _announce(screen, host)

    try:
        settings = load_settings(given_flags(options), os.environ, file)
        secrets = take_secrets(settings.workers, os.environ)
        allow_many_open_files()
        from aura_aio.worker.starting import process_starter  # noqa: PLC0415 - as below

        with (
            process_starter() as start_process,  # before more is in memory than workers need
            server_log(settings.logs.log_format, str),
        ):
            from aura_aio import event_loop, worker_host  # noqa: PLC0415 - others need none of it

            event_loop.run(worker_host.work(settings, secrets, ready, start_process))
    except (AuraError, OSError) as error:
        if is_up:
            raise
        raise Failure(str(error)) from error


def _announce(screen: Screen, host: "WorkerHost") -> None:
    plans = [plan.name for plan in host.plans.list()]
    if screen.as_json:
        screen.json(msgspec.json.encode({"host": host.host_id, "plans": plans}))
        return
    screen.out.line(("Aura's workers are ready.", "bold green"))
    screen.out.line()
    named = ", ".join(plans) or "none"
    screen.fields([("  Host", (host.host_id, "cyan")), ("  Plans", (named, "cyan"))])
    screen.out.line()
    screen.out.line(("Ctrl-C stops them.", "dim"))
