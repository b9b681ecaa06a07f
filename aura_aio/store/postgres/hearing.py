"""Hears what other servers announce, on a connection of its own that is made again when it is lost.

May import `announcement`, `connection`, psycopg, the standard library and model only.
"""

import logging
from typing import Any, Final

import psycopg

from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.news import Hear, News
from aura_aio.store.postgres.announcement import CHANNEL, heard
from aura_aio.store.postgres.connection import parameters

_log = logging.getLogger("aura.store.postgres")

PAUSE_SEC: Final = 0.5


class Hearing:
    """Calls `hear` with all news of others than `name`, in the order of their commits; with a gap
    first, and whenever some may have been missed.
    """

    def __init__(self, url: DatabaseUrl, name: str, hear: Hear, clock: Clock) -> None:
        self._url = url
        self._name = name
        self._hear = hear
        self._clock = clock
        self._tasks = CoroutineTasks()

    def start(self) -> None:
        """Begin to listen."""
        self._tasks.spawn(self._run())

    async def aclose(self) -> None:
        """Hear nothing more."""
        await self._tasks.aclose()

    @property
    def alive(self) -> bool:
        """Whether it listens, or tries to."""
        return not self._tasks.died

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except psycopg.OperationalError as error:
                reason = self._url.without_secrets(str(error)).strip()
                _log.warning(
                    "other servers are not heard",
                    extra={"action": "news_not_heard", "reason": reason},
                )
            await self._clock.sleep(PAUSE_SEC)

    async def _listen(self) -> None:
        connection: psycopg.AsyncConnection[Any]
        async with await psycopg.AsyncConnection.connect(
            **parameters(self._url), autocommit=True
        ) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._hear(News(is_gap=True))
            async for notify in connection.notifies():
                self._take(notify.payload)

    def _take(self, payload: str) -> None:
        """A notice; one that is not understood (a newer version's, or another program's on this
        channel), or that somebody here fails at, is as good as missed.
        """
        try:
            notice = heard(payload)
            if notice.sender != self._name:
                self._hear(notice.news)
        except Exception:  # whatever a listener raises, the next notice is heard
            _log.exception("a notice was not taken", extra={"action": "notice_failed"})
            self._hear(News(is_gap=True))
