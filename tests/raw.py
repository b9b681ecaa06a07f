"""HTTP by hand, for what no client would send: bytes out, status, headers and problem back.

Imports multidict, the contract's checker and the example requests.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from multidict import CIMultiDict

from aura_aio.contract.document import Contract
from tests.contract.conformance import check_response
from tests.contract.example_requests import ExampleRequest

HOST = b"Host: 127.0.0.1\r\n"


class Told(NamedTuple):
    """An answer: its headers by small names, its body as JSON."""

    status: int
    headers: dict[str, str]
    problem: Any


class Connection:
    """A connection that is written to byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Send it, now."""
        self.writer.write(data)

    async def answer(self) -> Told:
        """The next answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await self.reader.readexactly(int(headers["content-length"]))
        return Told(int(head[0].split()[1]), headers, json.loads(body))

    async def last_answer(self) -> Told:
        """The next answer, with which the connection ends."""
        told = await self.answer()
        assert await self.reader.read() == b""
        return told


@asynccontextmanager
async def connection(url: str) -> AsyncIterator[Connection]:
    """A connection to the server at `url`."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


def check_told(contract: Contract, request: ExampleRequest, told: Told) -> None:
    """Pass an answer to `request` that the contract declares.

    Raises:
        NotInContract: see `check_response`.
    """
    operation, body = request.operation.operation_id, json.dumps(told.problem).encode()
    method, headers = request.operation.method, CIMultiDict(told.headers)
    check_response(contract, method, operation, told.status, headers, body)
