"""Built-in actions that ask web servers: `http.get`, `http.post`, `http.request`.

May import model.json; aiohttp's client is imported when one of them is first called.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from aura_aio.model import json as model_json

MAX_BYTES: Final = 16 * 1024 * 1024
TIMEOUT_SEC: Final = 30.0

_CHUNK_BYTES: Final = 64 * 1024


class AnswerTooLong(Exception):
    """The body of the answer is longer than `MAX_BYTES`."""


async def get(
    url: str,
    headers: dict[str, str] | None = None,
    params: dict[str, Any] | None = None,
    timeout: float = TIMEOUT_SEC,  # noqa: ASYNC109 - this is the word that a step has for it
) -> dict[str, Any]:
    """Ask for a page; see `http.request`."""
    return await request(url, "GET", headers, params, timeout=timeout)


async def post(
    url: str,
    json: Any = None,
    data: str | None = None,
    headers: dict[str, str] | None = None,
    params: dict[str, Any] | None = None,
    timeout: float = TIMEOUT_SEC,  # noqa: ASYNC109
) -> dict[str, Any]:
    """Send `json`, or the text `data`; see `http.request`."""
    return await request(url, "POST", headers, params, json, data, timeout)


async def request(
    url: str,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    params: dict[str, Any] | None = None,
    json: Any = None,
    data: str | None = None,
    timeout: float = TIMEOUT_SEC,  # noqa: ASYNC109
) -> dict[str, Any]:
    """Send a request, and give the answer: `status`, `url` (after redirects), `headers` (names in
    lower case), `text`, `json` (if the answer says that it is JSON) and `elapsed_ms`. Every status
    is an answer: 404 does not fail the step.

    `params` go into the query. The limit on the whole is `timeout` seconds.

    Raises:
        ValueError: the URL is not http or https, or there is both `json` and `data`.
        TimeoutError: there was no whole answer in time.
        AnswerTooLong: the body is longer than 16 MiB.
        aiohttp.ClientError: there is no connection, or the answer is broken.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError(f"{url!r} is no http or https URL.")
    if json is not None and data is not None:
        raise ValueError("There is both 'json' and 'data': send one of them.")
    loop = asyncio.get_running_loop()
    started = loop.time()
    aiohttp = await asyncio.to_thread(_import_aiohttp)  # takes a while, the first time
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session,
            session.request(
                method.upper(), url, headers=headers, params=_query(params), json=json, data=data
            ) as response,
        ):
            body = await _read(response)
            answer = _answer(response, body)
    except TimeoutError as error:
        raise TimeoutError(f"No whole answer from {url} within {timeout:g} s.") from error
    return answer | {"elapsed_ms": round((loop.time() - started) * 1000, 3)}


def _import_aiohttp() -> Any:
    import aiohttp  # noqa: PLC0415 - most workers never need it

    return aiohttp


def _query(params: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Pairs for the query: a list gives one for each element, None none."""
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


def _answer(response: Any, body: bytes) -> dict[str, Any]:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    answer = {
        "status": response.status,
        "url": str(response.url),
        "headers": headers,
        "text": _text(body, response.charset),
    }
    kind = response.content_type
    if kind == "application/json" or kind.endswith("+json"):
        with suppress(msgspec.DecodeError):  # it may say that it is JSON, and not be
            answer["json"] = model_json.loads(body)
    return answer


def _text(body: bytes, charset: str | None) -> str:
    try:
        return body.decode(charset or "utf-8", errors="replace")
    except LookupError:
        return body.decode("utf-8", errors="replace")


ACTIONS: Final = {"http.get": get, "http.post": post, "http.request": request}
