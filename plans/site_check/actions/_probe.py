"""Asking for URLs: one with retries, and many at a time. Imports aiohttp and the standard library.

All of it runs on the event loop, and waits for the network only.
"""

import asyncio
import os
import ssl
import time
from collections.abc import Callable
from typing import Final, Literal, NamedTuple, TypedDict
from urllib.parse import urlsplit

import aiohttp

#: Answers that say: not now, ask again.
PASSING: Final = frozenset({429, 502, 503, 504})
_USER_AGENT: Final = "aura-site-check/1.0"


class Answer(TypedDict):
    """A row of the table. What could not be found out is None."""

    url: str
    status: int | None  # after redirects
    ok: bool  # a status below 400
    elapsed_ms: float  # of the last try, until the headers had come or the try had failed
    tries: int
    error: str | None


class Policy(NamedTuple):
    """How URLs are asked for. Times are in seconds."""

    method: Literal["GET", "HEAD"] = "GET"
    parallelism: int = 10
    timeout_sec: float = 10.0
    retries: int = 2
    retry_delay_sec: float = 0.5


#: Called with each answer as it comes, and with how many have come.
OnAnswer = Callable[[Answer, int], None]


async def probe_all(urls: list[str], policy: Policy, on_answer: OnAnswer) -> list[Answer]:
    """Asks for all `urls`, at most `policy.parallelism` at a time. The answers are in their order.

    A URL that can't be reached is an answer too, not an exception.
    """
    answers: dict[int, Answer] = {}
    waiting = iter(enumerate(urls))
    connector = aiohttp.TCPConnector(limit=0)  # the lanes are the limit
    timeout = aiohttp.ClientTimeout(total=policy.timeout_sec)
    headers = {"User-Agent": _USER_AGENT}
    async with (
        aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as session,
        asyncio.TaskGroup() as lanes,
    ):

        async def lane() -> None:
            """Takes one URL after the other, from the same iterator as the other lanes."""
            for index, url in waiting:
                answers[index] = await probe(session, url, policy)
                on_answer(answers[index], len(answers))

        for _ in range(min(policy.parallelism, len(urls))):
            lanes.create_task(lane())
    return [answers[index] for index in range(len(urls))]


async def probe(session: aiohttp.ClientSession, url: str, policy: Policy) -> Answer:
    """Asks for `url`, and again after a fault that may pass, with doubling pauses between."""
    if problem := _problem_with(url):
        return Answer(url=url, status=None, ok=False, elapsed_ms=0.0, tries=0, error=problem)
    tries = 0
    pauses = [policy.retry_delay_sec * 2**number for number in range(policy.retries)]
    while True:
        tries += 1
        answer, may_pass = await _try(session, url, policy, tries)
        if not may_pass or tries > len(pauses):
            return answer
        await asyncio.sleep(pauses[tries - 1])


async def _try(
    session: aiohttp.ClientSession, url: str, policy: Policy, tries: int
) -> tuple[Answer, bool]:
    """One try: its answer, and whether asking again could help."""
    status, error, may_pass = None, None, False
    start = time.perf_counter()
    try:
        async with session.request(policy.method, url) as response:
            elapsed_ms = (time.perf_counter() - start) * 1000
            status, may_pass = response.status, response.status in PASSING
            if status >= 400:
                error = f"{status} {response.reason or ''}".strip()
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
        elapsed_ms = (time.perf_counter() - start) * 1000
        error, may_pass = explained(fault, policy.timeout_sec)
    ok = status is not None and status < 400
    elapsed_ms = round(elapsed_ms, 1)
    row = Answer(url=url, status=status, ok=ok, elapsed_ms=elapsed_ms, tries=tries, error=error)
    return row, may_pass


def explained(fault: Exception, timeout_sec: float) -> tuple[str, bool]:
    """What `fault` means, in words, and whether it may pass."""
    may_pass = False
    match fault:
        case TimeoutError():
            words, may_pass = f"no answer within {timeout_sec:g} s", True
        case aiohttp.ClientConnectorCertificateError():
            words = f"the certificate is not valid: {_reason(fault.certificate_error)}"
        case aiohttp.ClientSSLError():
            words = f"no secure connection: {fault.os_error}"
        case aiohttp.ClientConnectorDNSError():
            words, may_pass = "the host's name is not known", True
        case aiohttp.ClientConnectorError():
            words, may_pass = f"no connection: {_reason(fault.os_error)}", True
        case aiohttp.TooManyRedirects():
            words = "too many redirects"
        case aiohttp.NonHttpUrlClientError() | ValueError():  # as aiohttp.InvalidURL is
            words = "not a URL that can be asked for"
        case aiohttp.ServerDisconnectedError():
            words, may_pass = "the server closed the connection without an answer", True
        case _:
            words, may_pass = f"{type(fault).__name__}: {fault}", True
    return words, may_pass


def _reason(error: Exception) -> str:
    """The part of an operating system's or a certificate's error that tells people something."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error)


def _problem_with(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # as of a port that is no number
        is_good = False
    return None if is_good else "not a URL: write it as https://host/path"
