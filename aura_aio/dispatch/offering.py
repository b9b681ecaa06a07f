"""Offers runs to all hosts whenever the queue has changed here.

May import model; stores come in as ports.
"""

import asyncio
import logging
from asyncio import TimerHandle
from collections.abc import Callable
from functools import partial
from typing import Final

from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.job_queue import OfferStore
from aura_aio.model.persistence import persist
from aura_aio.model.queue_store import QueueStore
from aura_aio.model.run import RunChanged
from aura_aio.model.states import TERMINAL, RunState

_log = logging.getLogger("aura.dispatch.offering")

AHEAD: Final = 2
"""How many runs are offered for each slot: nobody has to wait for an offer."""


class Offering:
    """Every host offers what its own changes let start, in their transaction if it can."""

    def __init__(self, offers: OfferStore, queue: QueueStore, clock: Clock) -> None:
        self._offers = offers
        self._queue = queue
        self._clock = clock
        self._wake = asyncio.Event()
        self._asked_for = False
        self._most = 0
        """So many were to be offered when it looked last."""
        self._slots: Callable[[], int] = _none
        self._facts: set[RunChanged] = set()
        """What has changed since it looked last."""
        self._tasks = CoroutineTasks()

    def start(self, slots: Callable[[], int]) -> None:
        """Begin to offer; `slots` answers how many runs all hosts together could have at the same
        time.
        """
        self._slots = slots
        self.look_again()
        self._tasks.spawn(self._run())

    async def aclose(self) -> None:
        """Offer nothing more."""
        await self._tasks.aclose()

    @property
    def alive(self) -> bool:
        """Whether it does its work."""
        return not self._tasks.died

    def look_again(self) -> None:
        """Look at the queue: what let runs wait may be gone, or others with what they had to
        offer.
        """
        self._asked_for = True
        self._wake.set()

    def room_left(self) -> None:
        """A host could have had more than was offered: look again, if there is more room than when
        that was offered. As a host starts it has no workers, and those come up one by one.
        """
        if self._offers.some_wait and self._wanted() > self._most:
            self.look_again()

    def run_changed(self, fact: RunChanged) -> None:
        """Look, if this has changed who is next, or lets others start."""
        if fact.target is RunState.QUEUED or (fact.target in TERMINAL and self._offers.some_wait):
            self._facts.add(fact)
            self._wake.set()

    def _wanted(self) -> int:
        return AHEAD * max(1, self._slots())

    async def _run(self) -> None:
        timer: TimerHandle | None = None
        loop = asyncio.get_running_loop()
        complaint = "store unavailable, offers wait"
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not self._asked_for and not self._facts:
                continue
            self._asked_for = False
            self._facts.clear()
            if timer is not None:
                timer.cancel()
            self._most = self._wanted()
            offer = partial(self._offers.offer, self._most)
            seen = await persist(offer, self._clock, _log, complaint, action="offers_wait")
            self._facts.difference_update(seen)
            due = await persist(
                self._queue.next_due, self._clock, _log, complaint, action="offers_wait"
            )
            if due is not None:
                timer = loop.call_later(max(0.0, due - self._clock.now()), self.look_again)


def _none() -> int:
    return 0
