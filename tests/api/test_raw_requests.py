"""What is no HTTP, or too much of it, never reaches the application: a problem as well."""

import asyncio
import json
from typing import Any

import pytest

from tests.serving import Served

HOST = b"Host: 127.0.0.1\r\n"


async def _answer(server: Served, request: bytes) -> tuple[int, dict[str, str], Any]:
    """Status, headers and problem of the answer to these bytes; the connection ends with it."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        assert await reader.read() == b""
        return int(head[0].split()[1]), headers, body
    finally:
        writer.close()


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
        b"GET /api/runs HTTP/1.1\r\n" + HOST + b"Bad Header: x\r\n\r\n",
        b"GET /api/runs HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n",
        b"POST /api/runs HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n",
        b"POST /api/runs HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
        b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 10_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_answered_with_a_problem(server: Served, request_: bytes) -> None:
    status, headers, problem = await _answer(server, request_)
    assert status == problem["status"] == 400
    assert headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:aura:problem:bad-http"
    assert problem["detail"]
    assert "Traceback" not in problem["detail"]


async def test_an_expectation_that_nobody_knows_is_a_417(server: Served) -> None:
    request = b"GET /api/runs HTTP/1.1\r\n" + HOST + b"Expect: magic\r\nConnection: close\r\n\r\n"
    status, headers, problem = await _answer(server, request)
    assert status == problem["status"] == 417
    assert headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:aura:problem:expectation-failed"
    assert problem["instance"] == "/api/runs"
