"""What is no HTTP never reaches the application: a problem as well."""

import pytest

from tests.raw import HOST, Told, connection
from tests.serving import Served


async def _answer(server: Served, request: bytes) -> Told:
    async with connection(server.url) as made:
        made.send(request)
        return await made.last_answer()


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
    ],
)
async def test_what_is_no_http_is_answered_with_a_problem(server: Served, request_: bytes) -> None:
    status, headers, problem = await _answer(server, request_)
    assert status == problem["status"] == 400
    assert headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:aura:problem:bad-http"
    assert problem["detail"]
    assert headers["cache-control"] == "no-store"
    assert headers["x-request-id"]
    assert "Traceback" not in problem["detail"]


async def test_an_expectation_that_nobody_knows_is_a_417(server: Served) -> None:
    request = b"GET /api/runs HTTP/1.1\r\n" + HOST + b"Expect: magic\r\nX-Request-ID: me\r\n"
    request += b"Connection: close\r\n\r\n"
    status, headers, problem = await _answer(server, request)
    assert status == problem["status"] == 417
    assert headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:aura:problem:expectation-failed"
    assert problem["instance"] == "/api/runs"
    assert headers["x-request-id"] == "me"
