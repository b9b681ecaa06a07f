"""This host among those that share its database: it says that it is there, looks whether the others
are, gives up those that are silent, and knows who leads.

May import msgspec and model only; stores and dispatchers come in as ports.
"""

import logging
import math
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

from msgspec.structs import replace

from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.errors import SettingsError, StoreUnavailable
from aura_aio.model.fleet import FleetStore, Host, HostStatus, Leadership, PlanDigests

_log = logging.getLogger("aura.scheduler.fleet")

BEATS: Final = 6
"""How often a host is heard of in the time after which a silent one is given up."""


class Fleet:
    """Beats, and looks at the beats of the others. Whether a host is silent is judged by what this
    one has seen itself, one look after the other: neither clocks are compared, nor does a database
    that was away for a while make everybody look dead.
    """

    def __init__(
        self,
        store: FleetStore,
        host_id: str,
        leadership: Leadership,
        clock: Clock,
        *,
        may_lead: bool,
        lost_sec: float,
        key: str,
    ) -> None:
        self._key = key
        self.host_id = host_id
        self.others: tuple[Host, ...] = ()
        """The other hosts, as they were seen last."""
        self._store = store
        self._leadership = leadership
        self._clock = clock
        self._may_lead = may_lead
        self._lost_sec = lost_sec
        self._status: Callable[[], HostStatus] = HostStatus
        self._on_given_up: Callable[[], None] = _nothing
        self._on_change: Callable[[], None] = _nothing
        self._plans: PlanDigests = {}
        self._takes_runs = True
        self._counts_from = clock.monotonic()
        """When the latest beat began that is confirmed: no other host counts from before that."""
        self._seen: dict[str, tuple[int, float]] = {}
        """The latest beat of each other host, and when this one saw it first."""
        self._tasks = CoroutineTasks()

    async def join(self) -> None:
        """Be one of the hosts, and beat.

        Raises:
            SettingsError: another one has another key for secrets.
            StoreUnavailable: the store does not answer.
        """
        others = [each for each in await self._store.members() if each.status.key != self._key]
        for host in await self._living(others):
            raise SettingsError(
                f"The server {host.id} on the same database seals secrets with another key: "
                "give each of them the same file secrets.key in its data folder, before it "
                "starts for the first time."
            )
        await self._join(HostStatus(self._key))
        self._look_at(await self._store.members())
        self._tasks.spawn(self._run())

    def tell(
        self,
        status: Callable[[], HostStatus],
        on_given_up: Callable[[], None],
        on_change: Callable[[], None],
    ) -> None:
        """Beat with what `status` answers from now on. `on_given_up` is called if the others took
        this host for dead: what it does belongs to nobody any more; `on_change` if others have
        other plans than before, wait for other events, have room or none any more, or are others:
        what was left to them, or kept for them, may be so no more.
        """
        self._status, self._on_given_up, self._on_change = status, on_given_up, on_change

    @asynccontextmanager
    async def tell_plans(self, plans: PlanDigests) -> AsyncIterator[None]:
        """Take runs of these plans from now on; what is done in this context is done when the
        others know. To be entered before a run is accepted with one of them. Whatever is raised
        here takes it back: then this host has the plans that it had.

        Raises:
            StoreUnavailable: they do not know, it may be.
        """
        before, self._plans = self._plans, plans
        try:
            await self._beat()
            yield
        except BaseException:  # also who is cancelled has not loaded them
            self._plans = before
            self._tasks.spawn(self._say_so())
            raise

    def retire(self) -> None:
        """Take no more runs, and let the others know: what was left to this host is theirs."""
        self._takes_runs = False
        self._tasks.spawn(self._say_so())

    async def _say_so(self) -> None:
        with suppress(StoreUnavailable):  # the next beat will
            await self._beat()

    async def aclose(self) -> None:
        """Be none of the hosts any more."""
        await self._tasks.aclose()
        self._leadership.set(leads=False)
        with suppress(StoreUnavailable):  # the others will notice
            await self._store.leave(self.host_id)

    @property
    def alive(self) -> bool:
        """Whether it beats."""
        return not self._tasks.died

    def heard_lately(self, host_id: str) -> bool:
        """Whether it is this host, or one whose beats go on."""
        _, since = self._seen.get(host_id, (0, -math.inf))
        return host_id == self.host_id or self._clock.monotonic() - since <= self._lost_sec / 2

    async def _living(self, hosts: Sequence[Host]) -> list[Host]:
        """Those of `hosts` whose beats go on."""
        if not hosts:
            return []
        await self._clock.sleep(2 * self._lost_sec / BEATS)
        beats = {each.id: each.beat for each in await self._store.members()}
        return [host for host in hosts if beats.get(host.id, host.beat) != host.beat]

    async def _run(self) -> None:
        seen_at = self._clock.monotonic()
        while True:
            await self._clock.sleep(self._lost_sec / BEATS)
            try:
                await self._beat()
                if self._clock.monotonic() - seen_at > 3 * self._lost_sec / BEATS:
                    self._judge_nobody()  # it took so long: it may have taken the others as long
                await self._give_up_the_silent()
            except StoreUnavailable as error:
                self._judge_nobody()
                extra = {"action": "fleet_not_seen", "reason": str(error)}
                _log.warning("the other hosts are not seen", extra=extra)
            except Exception:  # whatever it is: who beats no more is taken for dead
                _log.exception("a beat went wrong", extra={"action": "beat_failed"})
            else:
                seen_at = self._clock.monotonic()

    def _judge_nobody(self) -> None:
        """What was not heard in the meantime says nothing of the others."""
        now = self._clock.monotonic()
        self._seen = {id_: (beat, now) for id_, (beat, _) in self._seen.items()}

    async def _beat(self) -> None:
        plans = self._plans if self._takes_runs else {}
        status = replace(self._status(), key=self._key, plans=plans)
        began = self._clock.monotonic()
        if await self._store.beat(self.host_id, status):
            self._counts_from = began
        else:
            _log.error(
                "the other hosts took this one for dead: what ran here is lost, and it begins anew",
                extra={"action": "host_was_given_up", "host": self.host_id},
            )
            self._on_given_up()
            await self._join(status)
        self._look_at(await self._store.members())

    async def _join(self, status: HostStatus) -> None:
        began = self._clock.monotonic()
        await self._store.join(self.host_id, status, may_lead=self._may_lead)
        self._counts_from = began

    def _look_at(self, members: Iterable[Host]) -> None:
        members, now = tuple(members), self._clock.monotonic()
        before = _told(self.others)
        self.others = tuple(host for host in members if host.id != self.host_id)
        if before != _told(self.others):
            self._on_change()
        self._seen = {
            host.id: seen
            if (seen := self._seen.get(host.id)) is not None and seen[0] == host.beat
            else (host.beat, now)
            for host in self.others
        }
        leader = next((host.id for host in members if host.may_lead), None)
        led = self._leadership.leads
        leads = self._may_lead and leader == self.host_id
        self._leadership.set(leads=leads, is_sure=partial(self._is_sure, self._counts_from))
        if self._leadership.leads and not led:
            _log.info("this server leads", extra={"action": "leads", "host": self.host_id})

    def _is_sure(self, counts_from: float) -> bool:
        """Whether nobody can have given this host up whose latest beat began then: neither while
        the database is away, nor while it does not say what became of the next beat.
        """
        return self._clock.monotonic() - counts_from <= self._lost_sec / 2

    async def _give_up_the_silent(self) -> None:
        now = self._clock.monotonic()
        silent = {
            id_: beat for id_, (beat, since) in self._seen.items() if now - since > self._lost_sec
        }
        if not silent and not (self._leadership.leads and await self._store.orphans()):
            return
        reason = "Nothing was heard of its host any more."
        found = await self._store.give_up(silent, reason=reason)
        counts = {outcome: len(cids) for outcome, cids in found.items()}
        if silent or any(counts.values()):
            extra = {"action": "hosts_given_up", "hosts": sorted(silent), **counts}
            _log.warning("hosts are given up", extra=extra)
        self._look_at(await self._store.members())


def _told(hosts: Iterable[Host]) -> dict[str, object]:
    """What others act upon when it changes."""
    told = ((host.id, host.status) for host in hosts)
    return {id_: (status.plans, status.listens, status.has_room) for id_, status in told}


def _nothing() -> None:
    """Nobody is to be told."""
