"""`aura serve`: start the server with settings from flags, environment and file.

May import click, settings and its table and `cli`; `worker` and `lifetime` only once it runs.
"""

import errno
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aura_aio.cli.failure import Failure
from aura_aio.cli.loading import loading
from aura_aio.cli.open_files import allow_many_open_files
from aura_aio.cli.options import SettingsCommand, given_flags, server_options
from aura_aio.cli.screen import Screen
from aura_aio.cli.server_log import log_to, server_log
from aura_aio.handover import TRIAL_OPTION, ignore_further_signals, start_anew, take_listener
from aura_aio.model.errors import AuraError
from aura_aio.secret_files import take_secrets
from aura_aio.settings import Settings
from aura_aio.settings_table import load_settings

if TYPE_CHECKING:
    from aura_aio.server import Server

_LEAVE_SEC = 2.0
_EXAMPLE = "hello/greet"
_TRY = '{"plan_name": "hello", "task_name": "greet", "inputs": {"name": "Ada"}}'

config_option = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="Settings file (TOML).  [default: aura.toml, when there is one]",
)


@click.command(
    cls=SettingsCommand,
    epilog="Each setting is also a variable (--data-dir is AURA_DATA_DIR) and a line of the "
    "settings file. A flag wins over a variable, that over the file.",
)
@server_options
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print where the server is as JSON.")
@click.option(
    TRIAL_OPTION,
    "only_try",
    is_flag=True,
    help="Only try whether it would start, and end; a server that runs may go on.",
)
def serve(*, file: Path | None, as_json: bool, only_try: bool, **options: Any) -> None:
    """Start the server, and serve until Ctrl-C or SIGTERM.

    Runs under way get --shutdown-grace-sec seconds to finish; a second signal ends at once. After
    SIGUSR2 a new server takes this one's place, in the same process, and no client is turned away;
    if it would not start, this one goes on.
    """
    screen = Screen(as_json=as_json)
    settings: Settings | None = None
    is_up = False

    def ready(server: "Server") -> None:
        nonlocal is_up
        is_up = True
        _announce(screen, server, settings)

    try:
        settings = load_settings(given_flags(options), os.environ, file)
        listener = take_listener(settings.http, os.environ)
        environ = dict(os.environ)  # for a server that takes this one's place
        secrets = take_secrets(settings.workers, os.environ)
        allow_many_open_files()
        if only_try:
            _try(screen, settings, secrets)
            return
        leave = _served(settings, secrets, ready, environ, listener)
        if leave is not None:
            is_up = False
            leave()
    except (AuraError, OSError) as error:
        if is_up:
            raise
        raise Failure(_why(error, settings)) from error


def _try(screen: Screen, settings: Settings, secrets: Mapping[str, str]) -> None:
    from aura_aio import event_loop, trial  # noqa: PLC0415 - other commands need none of it

    with log_to(sys.stderr):
        event_loop.run(trial.try_start(settings, secrets))
    if screen.as_json:
        screen.json(msgspec.json.encode({"ok": True}))
    else:
        screen.out.line(("It would start.", "bold green"))


def _served(
    settings: Settings,
    secrets: Mapping[str, str],
    ready: "Callable[[Server], None]",
    environ: Mapping[str, str],
    listener: socket | None,
) -> Callable[[], object] | None:
    """Serve to the end, and say `ready`; answers how to start anew, if that is to be."""
    with loading() as loaded:
        from aura_aio.worker.starting import process_starter  # noqa: PLC0415 - as below

        def up(server: "Server") -> None:
            loaded()
            ready(server)

        with (
            process_starter() as start_process,  # before more is in memory than workers need
            server_log(settings.logs.log_format, partial(_why, settings=settings)),
        ):
            from aura_aio import event_loop, lifetime  # noqa: PLC0415 - others need none of it

            serving = lifetime.serve(settings, secrets, up, environ, listener, start_process)
            leave = event_loop.run(_to_the_end(settings, serving, environ))
            ignore_further_signals()
            return leave


async def _to_the_end(
    settings: Settings, serving: Coroutine[Any, Any, socket | None], environ: Mapping[str, str]
) -> Callable[[], object] | None:
    """Serve; answers how to start anew with `environ`, if that is to be. It happens, or the process
    ends, whatever is left in it. If it was its own worker, that may be a thread of an action that
    never ends, for which Python would wait.
    """
    listener = await serving
    leave = None if listener is None else partial(start_anew, listener, environ)
    if not settings.workers.workers:
        leaving = threading.Timer(_LEAVE_SEC, leave or partial(os._exit, 0))
        leaving.daemon = True
        leaving.start()
    return leave


def _why(error: Exception, settings: Settings | None) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE and settings is not None:
        return (
            f"The address {settings.http.host}:{settings.http.port} is in use: another server runs "
            "there. Take another port with --port (0: any free one)."
        )
    return str(error)


def _announce(screen: Screen, server: "Server", settings: Settings | None) -> None:
    url = server.url
    stream = url.replace("http", "ws", 1) + "/ws/logs"
    if screen.as_json:
        places = {
            "url": url,
            "dashboard": f"{url}/",
            "docs": f"{url}/docs",
            "contract": f"{url}/openapi.yaml",
            "log_stream": stream,
        }
        screen.json(msgspec.json.encode(places))
        return
    screen.out.line(("Aura is ready.", "bold green"))
    screen.out.line()
    screen.fields(
        [
            ("  Dashboard", (f"{url}/", "cyan")),
            ("  API docs", (f"{url}/docs", "cyan")),
            ("  Contract", (f"{url}/openapi.yaml", "cyan")),
            ("  Log stream", (stream, "cyan")),
        ]
    )
    screen.out.line()
    for line in _first_steps(server):
        screen.out.line(line)
    screen.out.line()
    if settings is not None and not settings.workers.start:
        screen.out.line(("Runs wait until: aura system start", "yellow"))
    screen.out.line(("Ctrl-C stops the server.", "dim"))


def _first_steps(server: "Server") -> Sequence[str]:
    tasks = {
        task.full_task_id for plan in server.scheduler.plans.list() for task in plan.tasks.values()
    }
    is_open = server.access.is_open
    with_token = "" if is_open else ", with a token in AURA_TOKEN"
    if _EXAMPLE in tasks:
        return f"Try it{with_token}:", _curl(server.url, is_open=is_open)
    if tasks:
        return f"See which plans there are{with_token}:", "  aura plans"
    return "There are no plans yet. Make one:", "  aura plans new NAME"


def _curl(url: str, *, is_open: bool) -> str:
    # cmd.exe knows double quotes only.
    windows = sys.platform == "win32"
    body = '"' + _TRY.replace('"', '\\"') + '"' if windows else f"'{_TRY}'"
    variable = "%AURA_TOKEN%" if windows else "$AURA_TOKEN"
    shown = "" if is_open else f' -H "Authorization: Bearer {variable}"'
    return f'  curl {url}/api/tasks/run{shown} -H "Content-Type: application/json" -d {body}'
