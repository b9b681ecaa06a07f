"""What `http.*` actions get in a test: answers that were registered, and nothing from the network.

May import the standard library, msgspec, and of `engine` `builtin.http` and `failures`.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from aura_aio.engine.builtin.http import Request, Response
from aura_aio.engine.failures import RunFailure

_MISSING: Any = object()


class RequestUnexpected(RunFailure):
    """A step has sent a request for which no answer is registered."""


class _Place(NamedTuple):
    """Where requests go; without a query, it is any."""

    method: str | None
    url: str
    query: tuple[tuple[str, str], ...] | None

    @classmethod
    def of(cls, method: str | None, url: str) -> "_Place":
        base, pairs = _split(url)
        return cls(method and method.upper(), base, tuple(sorted(pairs)) if pairs else None)

    def takes(self, request: Request) -> bool:
        base, pairs = _split(request.url)
        query = tuple(sorted([*pairs, *request.query]))
        return (
            self.method in {None, request.method}
            and self.url == base
            and self.query in {None, query}
        )

    def __str__(self) -> str:
        query = "" if self.query is None else f"?{urlencode(self.query)}"
        return f"{self.method or 'any method'} {self.url}{query}"


def _split(url: str) -> tuple[str, list[tuple[str, str]]]:
    """A URL without its query, and that in pairs."""
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc.lower()}{parts.path or '/'}"
    return base, parse_qsl(parts.query, keep_blank_values=True)


class _Answer(NamedTuple):
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    delay_sec: float
    error: Exception | None = None


class FakeHttp:
    """Answers the requests of `http.get`, `http.post` and `http.request`, and keeps them."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        """What was sent, in order: `method`, `url`, `query` (pairs), `headers`, `json`, `data`."""
        self.unexpected: list[str] = []
        """A sentence for each request that no answer was registered for."""
        self._answers: dict[_Place, list[_Answer]] = {}

    def answer(
        self,
        url: str,
        *,
        method: str | None = None,
        status: int = 200,
        json: Any = _MISSING,
        text: str | None = None,
        headers: Mapping[str, str] | None = None,
        delay_sec: float = 0.0,
    ) -> None:
        """Answer requests to `url` with `json`, or `text`, or nothing, after `delay_sec`.

        A `url` without a query answers all queries. Several answers to the same are given in their
        order, and the last one again and again.

        Raises:
            ValueError: `url` is no http or https URL, or there is both `json` and `text`.
        """
        if json is not _MISSING and text is not None:
            raise ValueError("There is both 'json' and 'text': give one of them.")
        kind, body = "text/plain; charset=utf-8", (text or "").encode()
        if json is not _MISSING:
            kind, body = "application/json", msgspec.json.encode(json)
        given = {"Content-Type": kind} | dict(headers or {})
        self._add(url, method, _Answer(status, tuple(given.items()), body, delay_sec))

    def fail(
        self, url: str, error: Exception, *, method: str | None = None, delay_sec: float = 0.0
    ) -> None:
        """Let requests to `url` raise `error`, after `delay_sec`; ordered among the answers."""
        self._add(url, method, _Answer(0, (), b"", delay_sec, error))

    async def send(self, request: Request) -> Response:
        """The answer to `request`, as it is given over the network.

        Raises:
            RequestUnexpected: there is none.
            Exception: what `fail` was given.
        """
        self.requests.append(request)
        answer = self._take(request)
        if answer.delay_sec:
            await asyncio.sleep(answer.delay_sec)
        if answer.error is not None:
            raise answer.error
        query = urlencode(request.query)
        mark = "&" if "?" in request.url else "?"
        url = f"{request.url}{mark}{query}" if query else request.url
        return Response(answer.status, url, answer.headers, answer.body)

    def _add(self, url: str, method: str | None, answer: _Answer) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError(f"{url!r} is no http or https URL.")
        self._answers.setdefault(_Place.of(method, url), []).append(answer)

    def _take(self, request: Request) -> _Answer:
        places = [place for place in self._answers if place.takes(request)]
        if not places:
            known = ", ".join(map(str, self._answers)) or "nothing"
            sentence = (
                f"The test has no answer for {request.method} {request.url}. Register one with "
                f"http.answer(...); there is one for {known}."
            )
            self.unexpected.append(sentence)
            raise RequestUnexpected(sentence)
        # The one that says most about the request.
        place = max(places, key=lambda place: (place.query is not None, place.method is not None))
        answers = self._answers[place]
        return answers.pop(0) if len(answers) > 1 else answers[0]
