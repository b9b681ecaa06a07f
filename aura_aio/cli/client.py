"""The HTTP client of the commands: requests of the public contract, and what can go wrong.

May import aiohttp, click and `cli`; never the server's parts.
"""

import os
import ssl
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import aiohttp
import click
import msgspec
from yarl import URL

from aura_aio.cli.failure import Failure
from aura_aio.cli.text import safe

WAIT_SEC: Final = 50
_UNAUTHORIZED: Final = 401
_IN_WORDS_OF_THE_CLI: Final = {
    "urn:aura:problem:runs-active": "Here that is: aura system reload --force",
}
"""What a problem advises is in words of the HTTP API."""

_LIMIT: Final = aiohttp.ClientTimeout(total=WAIT_SEC + 25, sock_connect=10)

Query = Mapping[str, str | int | Sequence[str] | None]
"""Query parameters; a list is sent as the same parameter several times, None not at all."""


class Answer(msgspec.Struct, frozen=True):
    """An answer of the server: its JSON as it came, and read."""

    body: bytes
    data: Any
    headers: Mapping[str, str]


class ServerProblem(Failure):
    """The server refused, and said why (a problem+json)."""

    def __init__(self, problem: Mapping[str, Any], body: bytes) -> None:
        super().__init__(problem["detail"])
        self.problem = problem
        self.body = body

    def format_message(self) -> str:
        """The detail; and the faults, a line each, unless it tells them all."""
        faults = self.problem.get("errors", ())
        lines = [self.message]
        if not all(self._tells(fault) for fault in faults):
            lines += [f"  {each['location']} {each['field']}: {each['message']}" for each in faults]
        if self.problem.get("status") == _UNAUTHORIZED:
            lines.append("Show a token with AURA_TOKEN or --token.")
        if self.problem.get("type") in _IN_WORDS_OF_THE_CLI:
            lines.append(_IN_WORDS_OF_THE_CLI[self.problem["type"]])
        if "request_id" in self.problem:
            lines.append(f"  request_id: {self.problem['request_id']}")
        return "\n".join(map(safe, lines))

    def _tells(self, fault: Mapping[str, str]) -> bool:
        name = fault["field"].rpartition("/")[2]  # `tags[0]` is /tags/0
        return any(f"{name}{end}: {fault['message']}" in self.message for end in ("", "]"))


class NoServer(Failure):
    """Nothing answers at the address."""

    def __init__(self, base: URL, why: str) -> None:
        super().__init__(
            f"No server answers at {base} ({safe(why)}).\n"
            "Start one with: aura serve\n"
            "Or say where it is with --url or AURA_URL."
        )
        self.why = why


class NotAura(Failure):
    """Something answers, but not as the contract says."""

    def __init__(self, url: URL, status: int) -> None:
        super().__init__(f"{url} answered {status}, but not as an Aura server does.")


class Client:
    """A connection to the server at `base`, to which `token` is shown, if there is one; use it as
    an async context manager.
    """

    def __init__(self, base: str, token: str = "") -> None:
        self._base = _base_url(base)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._session = aiohttp.ClientSession(timeout=_LIMIT, headers=headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def get(self, *path: str, query: Query | None = None) -> Answer:
        """GET the resource at `path`, given in parts that need no quoting.

        Raises:
            ServerProblem, NoServer, NotAura: there is no good answer.
        """
        return await self.send("GET", *path, query=query)

    async def post(
        self,
        *path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """POST `body` as JSON, or nothing; raises as `get`."""
        return await self.send("POST", *path, body=body, headers=headers)

    async def send(
        self,
        method: str,
        *path: str,
        query: Query | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request; raises as `get`."""
        url = self._url(path, query)
        sent = dict(headers or {}, Accept="application/json, application/problem+json")
        data = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            data = msgspec.json.encode(body)
        try:
            async with self._session.request(method, url, data=data, headers=sent) as response:
                content = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NoServer(self._base, _reason(error)) from error
        return _answer(url, response, content)

    async def websocket(self, *path: str, query: Query) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket; raises as `get`."""
        url = self._url(path, query)
        try:
            # max_msg_size 0: a log entry is as long as its writer made it.
            return await self._session.ws_connect(url, heartbeat=20, max_msg_size=0)
        except aiohttp.WSServerHandshakeError as error:
            # aiohttp does not hand out the body of a refusal: a plain GET gets the same one.
            await self.get(*path, query=query)
            raise NotAura(url, error.status) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NoServer(self._base, _reason(error)) from error

    def _url(self, path: tuple[str, ...], query: Query | None) -> URL:
        pairs = []
        for name, value in (query or {}).items():
            if value is None:
                continue
            values = [value] if isinstance(value, str | int) else value
            pairs += [(name, str(each)) for each in values]
        # joinpath would take the slash of a task like `reports/daily` for one between parts.
        parts = [quote(part, safe="") for part in path]
        return self._base.joinpath(*parts, encoded=True).with_query(pairs or None)


def _base_url(text: str) -> URL:
    try:
        base = URL(text)
    except ValueError:
        base = URL()
    if base.scheme not in ("http", "https") or not base.host:
        raise click.UsageError(
            f"{text!r} is no address of a server. Give one like http://127.0.0.1:18098 with --url, "
            "AURA_URL or the settings file."
        )
    return base.with_query(None).with_fragment(None)


def _answer(url: URL, response: aiohttp.ClientResponse, content: bytes) -> Answer:
    try:
        data = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotAura(url, response.status) from error
    if response.status < 400:
        return Answer(content, data, response.headers)
    if not isinstance(data, dict) or not isinstance(data.get("detail"), str):
        raise NotAura(url, response.status)
    raise ServerProblem(data, content)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused"
    if isinstance(cause, OSError):
        number = cause.errno or 0
        # asyncio's own words for a failed connect hold the address, not the reason; the numbers of
        # TLS and of the name service are their own.
        if number > 0 and not isinstance(cause, ssl.SSLError):
            return os.strerror(number)
        return cause.strerror or str(cause)
    return str(cause) or type(cause).__name__
