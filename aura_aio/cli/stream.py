"""The log stream as a client reads it: every entry once, in order, over as many connections as it
takes.

May import aiohttp, msgspec and `cli`.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import Any, Final

import aiohttp
import msgspec

from aura_aio.cli.client import Client, NoServer, Query, ServerProblem
from aura_aio.cli.failure import Failure

_PAUSES_SEC: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_UNAVAILABLE: Final = 503


class Entry(msgspec.Struct, frozen=True):
    """A `LogEntry` of the contract, as JSON."""

    json: bytes

    def read(self) -> dict[str, Any]:
        """Its properties."""
        entry: dict[str, Any] = msgspec.json.decode(self.json)
        return entry


class CaughtUp(msgspec.Struct, frozen=True):
    """Everything up to `seq` was sent; from here on entries come as they are logged."""

    seq: int


class RunEnd(msgspec.Struct, frozen=True):
    """The run of the subscription has finished, and its last entry was sent."""

    cid: str
    status: str


class Lost(Failure):
    """The connection was lost, or the server can't serve it now: trying again may help."""


class _Message(msgspec.Struct, frozen=True):
    type: str
    payload: msgspec.Raw = msgspec.Raw(b"{}")


class _Seq(msgspec.Struct, frozen=True):
    seq: int


_message: Final = msgspec.json.Decoder(_Message)
_entries: Final = msgspec.json.Decoder(list[msgspec.Raw])
_seq: Final = msgspec.json.Decoder(_Seq)

Item = Entry | CaughtUp | RunEnd


async def watch(
    client: Client,
    where: Query,
    *,
    since: int | None = None,
    tail: int | None = None,
    lost: Callable[[str], None] | None = None,
) -> AsyncGenerator[Item]:
    """What passes the filters `where`: what is stored after the seq `since`, or the last `tail`
    entries, or nothing; then what comes.

    What the server drops because it is read too slowly is fetched from its store. When a connection
    is lost, `lost` is told why, once, and another one goes on where this one ended, as soon as the
    server answers. Without `lost` the loss is raised.

    Raises:
        ServerProblem: the server refuses the filters.
        NoServer, Lost: the first connection could not be made; or one was lost, without `lost`.
    """
    first: Query = {**where, "since": since, "tail": tail, "batch": "true"}
    reached: int | None = None
    failures = 0
    begun = False
    while True:
        query = first if reached is None else {**first, "since": reached, "tail": None}
        try:
            async with aclosing(_connection(client, query)) as items:
                async for item, seq in items:
                    begun, failures = True, 0
                    if seq is not None:
                        reached = seq
                    if item is not None:
                        yield item
        except (Lost, NoServer) as error:
            if lost is None or not begun:
                raise
            if failures == 0:
                lost(error.why if isinstance(error, NoServer) else error.message)
            await asyncio.sleep(_PAUSES_SEC[min(failures, len(_PAUSES_SEC) - 1)])
            failures += 1


async def _connection(
    client: Client, query: Query
) -> AsyncGenerator[tuple[Item | None, int | None]]:
    """The items of one connection, each with the seq that is reached with it; ends where entries
    were dropped.
    """
    try:
        socket = await client.websocket("ws", "logs", query=query)
    except ServerProblem as error:
        raise _passing(error) from error
    is_live = query["since"] is None and query["tail"] is None
    try:
        async for frame in socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                break
            message = _message.decode(frame.data)
            if message.type == "dropped":
                return
            _raise_if_over(message)
            for item, seq in _read(message, is_live=is_live):
                yield item, seq
        raise Lost("the connection was lost")
    finally:
        await socket.close()


def _raise_if_over(message: _Message) -> None:
    if message.type == "bye":
        raise Lost("the server shuts down")
    if message.type == "error":
        problem = msgspec.json.decode(message.payload)
        raise _passing(ServerProblem(problem, bytes(message.payload)))


def _read(message: _Message, *, is_live: bool) -> Iterator[tuple[Item | None, int | None]]:
    payload = message.payload
    match message.type:
        case "hello":
            yield None, _seq.decode(payload).seq if is_live else None
        case "logs":
            for entry in _entries.decode(payload):
                yield Entry(bytes(entry)), _seq.decode(entry).seq
        case "caught_up":
            caught_up = msgspec.json.decode(payload, type=CaughtUp)
            yield caught_up, caught_up.seq
        case "end":
            yield msgspec.json.decode(payload, type=RunEnd), None
        case _:
            return  # a later version's word


def _passing(error: ServerProblem) -> ServerProblem | Lost:
    return Lost(error.message) if error.problem.get("status") == _UNAVAILABLE else error
