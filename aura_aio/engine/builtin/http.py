"""Built-in actions that ask web servers: `http.get`, `http.post`, `http.request`.

May import model, and of `engine` `context` and `failures`; aiohttp's client is imported when one of
them is first called.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from email.message import Message
from typing import Any, Final, NamedTuple, TypedDict
from urllib.parse import urlsplit

import msgspec

from aura_aio.engine.context import current_call
from aura_aio.engine.failures import BadParameters
from aura_aio.model import json as model_json
from aura_aio.model.trace import TRACEPARENT, TRACESTATE

MAX_BYTES: Final = 16 * 1024 * 1024
TIMEOUT_SEC: Final = 30.0

Expected = int | str | list[int | str] | None
"""The statuses that an answer may have: `200`, `2xx`, several, or (None) all."""

_CHUNK_BYTES: Final = 64 * 1024
_STATUS: Final = re.compile("[1-5](xx|[0-9]{2})")
_SHOWN: Final = 300


class _Options(TypedDict, total=False):
    """What `get` and `post` hand on by name."""

    timeout: float
    expect: Expected
    redirects: bool


class AnswerTooLong(Exception):
    """The body of the answer is longer than `MAX_BYTES`."""


class UnexpectedStatus(Exception):
    """The answer has another status than those that `expect` names."""


class Request(NamedTuple):
    """What is sent: `json`, or `data` (text, or the pairs of a form), or no body."""

    method: str
    url: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    json: Any
    data: str | Sequence[tuple[str, str]] | None
    redirects: bool = True
    """Whether redirects are followed."""


class Response(NamedTuple):
    """What came back: `url` after redirects, `headers` as they were sent."""

    status: int
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes


Send = Callable[[Request], Awaitable[Response]]
"""Sends a request, and raises what aiohttp's client does; takes as long as it likes."""


class HttpActions:
    """The actions of this family; `send` is their way to the world."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def by_name(self) -> dict[str, Callable[..., Any]]:
        """The actions, by the names that steps call them by."""
        return {"http.get": self.get, "http.post": self.post, "http.request": self.request}

    async def get(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        params: dict[str, Any] | None = None,
        timeout: float = TIMEOUT_SEC,  # noqa: ASYNC109 - this is the word that a step has for it
        expect: Expected = None,
        redirects: bool = True,
    ) -> dict[str, Any]:
        """Ask for a page; see `http.request`."""
        more: _Options = {"timeout": timeout, "expect": expect, "redirects": redirects}
        return await self.request(url, "GET", headers, params, **more)

    async def post(
        self,
        url: str,
        json: Any = None,
        data: str | dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        params: dict[str, Any] | None = None,
        timeout: float = TIMEOUT_SEC,  # noqa: ASYNC109
        expect: Expected = None,
    ) -> dict[str, Any]:
        """Send `json`, or the text or form `data`; see `http.request`."""
        more: _Options = {"timeout": timeout, "expect": expect}
        return await self.request(url, "POST", headers, params, json=json, data=data, **more)

    async def request(  # noqa: PLR0913 - the words of the task language
        self,
        url: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        params: dict[str, Any] | None = None,
        *,
        json: Any = None,
        data: str | dict[str, Any] | None = None,
        timeout: float = TIMEOUT_SEC,  # noqa: ASYNC109
        expect: Expected = None,
        redirects: bool = True,
    ) -> dict[str, Any]:
        """Send a request, and give the answer: `status`, `url` (after redirects), `headers` (names
        in lower case), `text`, `json` (if the answer says that it is JSON) and `elapsed_ms`.

        `params` go into the query, a list as several of one name. `data` is text, or a mapping that
        is sent as a form. Every status is an answer, 404 does not fail the step, unless `expect`
        names those that are: `200`, `2xx`, or a list of such. `redirects` are followed, if not
        told otherwise. The limit on the whole is `timeout` seconds. A run that belongs to a trace
        says so (`traceparent`, `tracestate`), unless `headers` have a `traceparent`.

        Raises:
            ValueError: the URL is not http or https, or there is both `json` and `data`.
            UnexpectedStatus: the status is none of `expect`.
            TimeoutError: there was no whole answer in time.
            AnswerTooLong: the body is longer than 16 MiB.
            aiohttp.ClientError: there is no connection, or the answer is broken.
        """
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError(f"{url!r} is no http or https URL.")
        if json is not None and data is not None:
            raise ValueError("There is both 'json' and 'data': send one of them.")
        expected = _expected(expect)
        loop = asyncio.get_running_loop()
        started = loop.time()
        body = _pairs(data) if isinstance(data, dict) else data
        sent = _with_trace(headers or {})
        asked = Request(method.upper(), url, _pairs(params), sent, json, body, redirects)
        try:
            async with asyncio.timeout(timeout):
                response = await self._send(asked)
        except TimeoutError as error:
            raise TimeoutError(f"No whole answer from {url} within {timeout:g} s.") from error
        answer = _answer(response) | {"elapsed_ms": round((loop.time() - started) * 1000, 3)}
        _check_status(asked, answer, expected)
        return answer


async def _send(request: Request) -> Response:
    """Send a request over the network."""
    aiohttp = await asyncio.to_thread(_import_aiohttp)  # takes a while, the first time
    no_limit = aiohttp.ClientTimeout(total=None)  # the limit of the action is on the whole
    async with (
        aiohttp.ClientSession(timeout=no_limit) as session,
        session.request(
            request.method,
            request.url,
            params=request.query,
            headers=request.headers,
            json=request.json,
            data=request.data,
            allow_redirects=request.redirects,
        ) as response,
    ):
        body = await _read(response)
        return Response(response.status, str(response.url), tuple(response.headers.items()), body)


def _import_aiohttp() -> Any:
    import aiohttp  # noqa: PLC0415 - most workers never need it

    return aiohttp


def _with_trace(headers: Mapping[str, str]) -> Mapping[str, str]:
    """`headers`, with those of the trace of this call, if they name none."""
    call = current_call.get()
    if call is None or call.trace is None or any(name.lower() == TRACEPARENT for name in headers):
        return headers
    own = {name: text for name, text in headers.items() if name.lower() != TRACESTATE}
    return own | call.trace.headers


def _expected(expect: Expected) -> list[str]:
    """The statuses that are expected, as three characters each; none if all are."""
    words = [] if expect is None else [str(each) for each in _listed(expect)]
    for word in words:
        if not _STATUS.fullmatch(word):
            raise BadParameters(
                f"The parameter 'expect' has {word!r}: a status is written as 200, or 2xx for all "
                "that begin with 2."
            )
    return words


def _listed(expect: int | str | list[int | str]) -> list[int | str]:
    return expect if isinstance(expect, list) else [expect]


def _check_status(asked: Request, answer: dict[str, Any], expected: list[str]) -> None:
    status = str(answer["status"])
    if not expected or any(status.startswith(word.rstrip("x")) for word in expected):
        return
    text = answer["text"].strip()
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    raise UnexpectedStatus(
        f"{asked.method} {asked.url} answered {status}, and {' or '.join(expected)} was expected"
        + (f": {shown}" if shown else ".")
    )


def _pairs(params: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Pairs for a query or a form: a list gives one for each element, None none."""
    pairs: list[tuple[str, str]] = []
    for name, value in (params or {}).items():
        values = value if isinstance(value, list) else [value]
        pairs.extend((name, _word(each)) for each in values if each is not None)
    return pairs


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


async def _read(response: Any) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_BYTES:
            raise AnswerTooLong(f"The answer of {response.url} is longer than {MAX_BYTES:,} bytes.")
    return bytes(body)


def _answer(response: Response) -> dict[str, Any]:
    headers: dict[str, str] = {}
    for name, value in response.headers:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    kind = Message()
    kind["content-type"] = headers.get("content-type", "application/octet-stream")
    answer = {
        "status": response.status,
        "url": response.url,
        "headers": headers,
        "text": _text(response.body, kind.get_content_charset()),
    }
    said = kind.get_content_type()
    if said == "application/json" or said.endswith("+json"):
        with suppress(msgspec.DecodeError):  # it may say that it is JSON, and not be
            answer["json"] = model_json.loads(response.body)
    return answer


def _text(body: bytes, charset: str | None) -> str:
    try:
        return body.decode(charset or "utf-8", errors="replace")
    except LookupError:
        return body.decode("utf-8", errors="replace")


ACTIONS: Final = HttpActions(_send).by_name()
