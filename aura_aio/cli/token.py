"""`aura token`: make, list and revoke tokens, in the database or by the server that has it open.

May import click, msgspec, settings and its table, model and `cli`; `aura_aio.maintenance` once a
command runs.
"""

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import click
import msgspec

from aura_aio.cli.failure import Failure
from aura_aio.cli.groups import DefaultGroup
from aura_aio.cli.options import given_flags, options_of
from aura_aio.cli.params import SPAN
from aura_aio.cli.remote import server_options
from aura_aio.cli.screen import Column, Piece, Screen
from aura_aio.cli.serve import config_option
from aura_aio.cli.text import local_time
from aura_aio.model.access import NewToken, Scope
from aura_aio.model.clock import SystemClock, rfc3339
from aura_aio.model.errors import AuraError, DatabaseInUse
from aura_aio.settings import Settings
from aura_aio.settings_table import load_settings, settings_sources

_FIRST: Final = (
    "This is the first token: from now on every request to the server needs one, unless it was "
    "started with --require-token never. Commands take it from AURA_TOKEN or --token."
)
_NO_ADMIN: Final = (
    "That was the last admin token, and a server still asks for one. To make another: stop the "
    "server, run aura token create --scope admin on its data folder, and start it again."
)


class Tokens(Protocol):
    """The operations on tokens, whoever does them; answers as in the contract."""

    async def create_token(self, new: NewToken) -> dict[str, Any]:
        """NewToken."""
        ...

    async def list_tokens(self) -> dict[str, Any]:
        """TokenList."""
        ...

    async def revoke_token(self, token_id: str) -> dict[str, Any]:
        """Token."""
        ...


class _ServersTokens:
    """The tokens of a server, by its HTTP API."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def create_token(self, new: NewToken) -> dict[str, Any]:
        body = {name: value for name, value in msgspec.to_builtins(new).items() if value}
        return dict((await self._client.post("api", "auth", "tokens", body=body)).data)

    async def list_tokens(self) -> dict[str, Any]:
        return dict((await self._client.get("api", "auth", "tokens")).data)

    async def revoke_token(self, token_id: str) -> dict[str, Any]:
        return dict((await self._client.send("DELETE", "api", "auth", "tokens", token_id)).data)


@click.group(
    cls=DefaultGroup,
    epilog="Without a command: list. Tokens are in the database of the settings. While a server "
    "has it open, or when an address is given, that server does what is asked.",
)
def token() -> None:
    """Make, list and revoke access tokens."""


def _with_tokens(
    function: Callable[..., Awaitable[None]], *, make: bool = False
) -> Callable[..., None]:
    """Turn `async function(tokens, screen, **options)` into what click calls.

    With `make`, a database that is missing is made.
    """

    @options_of("data_dir", "database")
    @config_option
    @server_options
    @click.option("--json", "as_json", is_flag=True, help="Print the answer's JSON.")
    @functools.wraps(function)
    def command(*, file: Path | None, as_json: bool, **options: Any) -> None:
        names = ("data_dir", "database", "url", "token")
        flags = given_flags({name: options.pop(name) for name in names})
        screen = Screen(as_json=as_json)

        async def call() -> None:
            settings = load_settings(flags, os.environ, file)
            if "url" in settings_sources(flags, os.environ, file):
                tokens = _servers_tokens(settings)
            else:
                tokens = _tokens(settings, screen, make=make)
            async with tokens as them:
                await function(them, screen, **options)

        try:
            asyncio.run(call())
        except (AuraError, OSError) as error:
            raise Failure(str(error)) from error

    return command


@asynccontextmanager
async def _servers_tokens(settings: Settings) -> AsyncIterator[Tokens]:
    from aura_aio.cli.client import Client  # noqa: PLC0415 - see remote.py

    async with Client(settings.client.url, settings.client.token) as client:
        yield _ServersTokens(client)


@asynccontextmanager
async def _tokens(settings: Settings, screen: Screen, *, make: bool) -> AsyncIterator[Tokens]:
    """Those in the database; while a server has it open, what that server says they are."""
    from aura_aio import maintenance  # noqa: PLC0415 - other commands need none of it

    async with AsyncExitStack() as stack:
        tokens: Tokens
        try:
            tokens = await stack.enter_async_context(
                maintenance.offline_tokens(settings, make=make)
            )
        except DatabaseInUse:
            screen.notes.line((f"asked of the server at {settings.client.url}", "dim"))
            tokens = await stack.enter_async_context(_servers_tokens(settings))
        yield tokens


@token.command("list")
@_with_tokens
async def list_tokens(tokens: Tokens, screen: Screen) -> None:
    """List all tokens, the oldest first; none can be shown again."""
    found = await tokens.list_tokens()
    if screen.as_json:
        screen.json(msgspec.json.encode(found))
        return
    if not found["items"]:
        screen.notes.line("There are no tokens.")
        return
    titles = ("id", "scope", "name", "plans", "created", "last used", "good until")
    columns = [Column(title, elastic=title in ("name", "plans")) for title in titles]
    now = rfc3339(SystemClock().now())
    screen.table(columns, [_row(each, now) for each in found["items"]])


@token.command("create")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    required=True,
    help="read: look; run: also start, cancel and order runs; admin: everything.",
)
@click.option("--name", default="", help="What it is for, to recognise it by.")
@click.option(
    "--expires-in", type=SPAN, metavar="SPAN", help="How long it is good, like 12h or 30d."
)
@click.option(
    "--plan",
    "plans",
    multiple=True,
    metavar="NAME",
    help="Narrow it to this plan; may be given several times.",
)
@functools.partial(_with_tokens, make=True)
async def create(
    tokens: Tokens,
    screen: Screen,
    *,
    scope: str,
    name: str,
    expires_in: float | None,
    plans: tuple[str, ...],
) -> None:
    """Make a token, and print it: this once.

    Only the token goes to stdout: AURA_TOKEN=$(aura token create --scope run)
    """
    is_first = not (await tokens.list_tokens())["items"]
    new = NewToken(scope=Scope(scope), name=name, plans=plans, expires_in_sec=expires_in)
    made = await tokens.create_token(new)
    if is_first:
        screen.notes.line((_FIRST, "yellow"), hang=4)
    if screen.as_json:
        screen.json(msgspec.json.encode(made))
        return
    about = made["token"]
    until = f", good until {local_time(about['expires_at'])}" if "expires_at" in about else ""
    screen.notes.line(f"token {about['id']} with the scope {scope}{until}; shown this once:")
    screen.out.line(made["secret"])


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@_with_tokens
async def revoke(tokens: Tokens, screen: Screen, *, token_id: str) -> None:
    """Let the token ID be good for nothing from now on."""
    before = (await tokens.list_tokens())["items"]
    revoked = await tokens.revoke_token(token_id)
    admins = {each["id"] for each in before if _is_good_admin(each)}
    if admins == {revoked["id"]}:
        screen.notes.line((_NO_ADMIN, "yellow"), hang=4)
    if screen.as_json:
        screen.json(msgspec.json.encode(revoked))
    else:
        screen.out.line(("revoked", "green"), f"  {revoked['id']}  {revoked['name']}".rstrip())


def _is_good_admin(token: dict[str, Any]) -> bool:
    until = token.get("expires_at")
    is_over = until is not None and until <= rfc3339(SystemClock().now())
    return token["scope"] == Scope.ADMIN and "revoked_at" not in token and not is_over


def _row(token: dict[str, Any], now: str) -> list[Piece]:
    used, until = token.get("last_used_at"), token.get("expires_at")
    end: Piece = "-" if until is None else local_time(until)
    if "revoked_at" in token:
        end = ("revoked", "red")
    elif until is not None and until <= now:
        end = ("expired", "red")
    return [
        token["id"],
        token["scope"],
        token["name"] or "-",
        ", ".join(token.get("plans", ())) or "all",
        local_time(token["created_at"]),
        "-" if used is None else local_time(used),
        end,
    ]
