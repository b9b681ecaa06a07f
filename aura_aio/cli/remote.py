"""What every command has that talks to a server: `--url`, `--token`, `--json`, an exit code.

May import click, settings and its table and `cli`; aiohttp only once a command runs.
"""

import asyncio
import functools
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import click

from aura_aio.cli.failure import Failure
from aura_aio.cli.options import Command, given_flags
from aura_aio.cli.screen import Screen
from aura_aio.model.errors import SettingsError
from aura_aio.settings import ClientSettings
from aura_aio.settings_table import load_settings, settings_table

if TYPE_CHECKING:
    pass

INTERRUPTED: Final = 130
_URL, _TOKEN = (
    next(each for each in settings_table() if each.name == name) for name in ("url", "token")
)


def server_options(command: Command) -> Command:
    """Give `command` the options `--url` and `--token`; None means not given."""
    command = click.option(_TOKEN.flag, metavar="TOKEN", help=_TOKEN.help)(command)
    return click.option(_URL.flag, metavar="URL", help=f"{_URL.help}  [default: {_URL.default}]")(
        command
    )


def talks_to_server(function: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Turn `async function(client, screen, **options)` into what click calls.

    Ctrl-C ends with the exit code 130; errors are printed as one message, on stderr, with 1.
    """

    @server_options
    @click.option("--json", "as_json", is_flag=True, help="Print the answer's JSON.")
    @functools.wraps(function)
    def command(*, url: str | None, token: str | None, as_json: bool, **options: Any) -> None:
        try:
            settings = load_settings(given_flags({"url": url, "token": token}), os.environ)
        except SettingsError as error:
            raise Failure(str(error)) from error
        screen = Screen(as_json=as_json)
        try:
            asyncio.run(_call(function, settings.client, screen, options))
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None

    return command


async def _call(
    function: Callable[..., Awaitable[None]],
    settings: ClientSettings,
    screen: Screen,
    options: dict[str, Any],
) -> None:
    from aura_aio.cli.client import Client, ServerProblem  # noqa: PLC0415 - aiohttp takes 0.2 s

    async with Client(settings.url, settings.token) as client:
        try:
            await function(client, screen, **options)
        except ServerProblem as problem:
            if screen.as_json:
                screen.json(problem.body)
            raise
