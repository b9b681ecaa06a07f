"""What makes a server one of several on a database: it joins them, beats, and hears their news.

May import dispatch, logs, scheduler, store, host_mark, places, settings and model.
"""

import asyncio
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from msgspec.structs import replace

from aura_aio.dispatch.everywhere import EverywhereDispatcher
from aura_aio.host_mark import HostMark
from aura_aio.logs.hub import LogHub
from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.fleet import HostStatus, Leadership
from aura_aio.model.news import News, Topic
from aura_aio.model.persistence import persist
from aura_aio.model.run import RunChanged
from aura_aio.model.sealing import Vault
from aura_aio.model.states import TERMINAL, RunState
from aura_aio.places import Places
from aura_aio.scheduler.access import Access
from aura_aio.scheduler.events import EventBus
from aura_aio.scheduler.fleet import Fleet
from aura_aio.scheduler.schedule_book import ScheduleBook
from aura_aio.scheduler.system import System
from aura_aio.scheduler.tickets import OwnTickets, SharedTickets, Tickets
from aura_aio.store.relational.store import SqlStore
from aura_aio.store_settings import StoreSettings

_log = logging.getLogger("aura.sharing")

_MOST_OF_NAME: Final = 30


class Place(NamedTuple):
    """Where a host stands among those that share its database; alone it has neither a name nor a
    fleet, and leads.
    """

    host_id: str
    leadership: Leadership
    url: DatabaseUrl | None

    @classmethod
    def among(cls, places: Places) -> "Place":
        """The place of a process with the database of `places`: its name is the machine's, and a
        few letters that no other process has.
        """
        if not isinstance(places.database, DatabaseUrl):
            return cls("", Leadership(leads=True), None)
        machine = socket.gethostname().partition(".")[0].replace("/", "-")[:_MOST_OF_NAME]
        host_id = f"{machine or 'host'}-{secrets.token_hex(3)}"
        return cls(host_id, Leadership(leads=False), places.database)


Reload = Callable[[], Awaitable[None]]
"""Reads something anew; raises StoreUnavailable."""


class Held(NamedTuple):
    """What a host holds in memory that other hosts may change."""

    bus: EventBus
    hub: LogHub
    dispatcher: EverywhereDispatcher
    reloads: dict[Topic, Reload]
    """What is read anew once a topic has changed."""
    looks: tuple[Callable[[], None], ...] = ()
    """What looks for work that may have come unheard."""
    waited_for: Callable[[], frozenset[str]] = frozenset
    """The runs whose end a client waits for."""


def tickets_of(place: Place, store: SqlStore, clock: Clock) -> Tickets:
    """The tickets for browsers: good at every server of a fleet."""
    return OwnTickets(clock) if place.url is None else SharedTickets(store.tickets, clock)


def reloads_of(access: Access, book: ScheduleBook, system: System) -> dict[Topic, Reload]:
    """What a server reads anew."""
    return {
        Topic.TOKENS: access.reload,
        Topic.SCHEDULES: book.load,
        Topic.SYSTEM: system.follow,
    }


@asynccontextmanager
async def joined(
    place: Place,
    store: SqlStore,
    vault: Vault,
    clock: Clock,
    settings: StoreSettings,
    *,
    may_lead: bool,
) -> AsyncIterator[Fleet | None]:
    """The fleet that the process is in while the context is open; None if it is alone. Hosts of
    the same data folder that have died are in it no more: their runs belong to nobody.

    Raises:
        SettingsError: another host has another key for secrets.
        StoreUnavailable: the store does not answer.
        OSError: the data folder cannot be written.
    """
    if place.url is None:
        yield None
        return
    fleet = Fleet(
        store.fleet,
        place.host_id,
        place.leadership,
        clock,
        may_lead=may_lead,
        lost_sec=settings.host_lost_sec,
        key=vault.digest(b"fleet"),
    )
    mark = await asyncio.to_thread(HostMark, Path(settings.data_dir), place.host_id)
    try:
        await _bury_the_dead(mark, store)
        await fleet.join()
        try:
            yield fleet
        finally:
            await fleet.aclose()
    finally:
        await asyncio.to_thread(mark.close)


async def _bury_the_dead(mark: HostMark, store: SqlStore) -> None:
    for host_id in await asyncio.to_thread(mark.dead):
        await store.fleet.leave(host_id)
        await asyncio.to_thread(mark.forget, host_id)
        extra = {"action": "host_has_died", "host": host_id}
        _log.warning("a host of this data folder has died", extra=extra)


@asynccontextmanager
async def hearing(
    place: Place, fleet: Fleet | None, store: SqlStore, held: Held, clock: Clock
) -> AsyncIterator[None]:
    """Beat, and follow what the others do, while the context is open."""
    if fleet is None or place.url is None:
        yield
        return
    from aura_aio.store.postgres.hearing import Hearing  # noqa: PLC0415 - needs an extra

    listener = Listener(store, held, clock)
    ear = Hearing(place.url, place.host_id, listener.hear, clock)
    ear.start()
    local = held.dispatcher.local

    def status() -> HostStatus:
        return replace(held.dispatcher.status(), listens=store.events.listened)

    def others_changed() -> None:
        others = [each for host in fleet.others for each in host.status.listens]
        store.events.listen_for_others(others)
        held.dispatcher.look_again()

    given_up = partial(local.kill_workers, "the host was given up by the others")
    fleet.tell(status, given_up, others_changed)
    others_changed()
    try:
        yield
    finally:
        await ear.aclose()
        await listener.aclose()


class Listener:
    """Brings the news of other hosts to the parts of this one."""

    def __init__(self, store: SqlStore, held: Held, clock: Clock) -> None:
        self._store = store
        self._held = held
        self._clock = clock
        self._changed: set[Topic] = set()
        self._is_reading = False
        self._tasks = CoroutineTasks()

    def hear(self, news: News) -> None:
        """Another host has committed this."""
        held = self._held
        if news.is_gap:
            self._tasks.spawn(self._persist(self._look_around))
            news = News(topics=tuple(Topic))
        if news.newest_seq:
            held.hub.others_wrote(news.newest_seq)
        for fact in news.facts:
            held.bus.hear(fact)
        for topic in news.topics:
            if topic is Topic.QUEUE:
                held.dispatcher.look_again()
            elif topic in held.reloads:
                self._changed.add(topic)
        if self._changed and not self._is_reading:
            self._is_reading = True
            self._tasks.spawn(self._read_changed())

    async def aclose(self) -> None:
        """Bring nothing more."""
        await self._tasks.aclose()

    async def _read_changed(self) -> None:
        """Read anew what has changed, once for however many changes there were until it began."""
        while self._changed:
            await self._persist(self._held.reloads[self._changed.pop()])
        self._is_reading = False

    async def _look_around(self) -> None:
        """Something may have been missed: look at the log, the queue, and at the runs that somebody
        waits for, or that are carried out here.
        """
        held = self._held
        _, newest_seq = await self._store.logs.bounds()
        held.hub.others_wrote(newest_seq)
        for look in (held.dispatcher.look_again, *held.looks):
            look()
        cids = held.waited_for() | held.dispatcher.local.concerned()
        for run in (await self._store.runs.states(sorted(cids))).values():
            grace_sec = None
            if run.state is RunState.CANCELLING:
                grace_sec = run.cancel.actions_grace_sec if run.cancel is not None else 0.0
            elif run.state not in TERMINAL:
                continue
            held.bus.hear(
                RunChanged(
                    run.cid, run.state, run.state, run.attempt, self._clock.now(), None, grace_sec
                )
            )

    async def _persist(self, reload: Reload) -> None:
        """Do it as soon as the store is available."""
        complaint = "store unavailable, what others have changed is read later"
        await persist(reload, self._clock, _log, complaint, action="news_wait")
