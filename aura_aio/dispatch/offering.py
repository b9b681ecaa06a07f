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
        self._facts: set[RunChanged] = set()
        """What has changed since it looked last."""
        self._tasks = CoroutineTasks()

    def start(self, slots: Callable[[], int]) -> None:
        """Begin to offer; `slots` answers how many runs all hosts together could have at the same
        time.
        """
        self.look_again()
        self._tasks.spawn(self._run(slots))

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

    def run_changed(self, fact: RunChanged) -> None:
        """Look, if this has changed who is next, or lets others start."""
        if fact.target is RunState.QUEUED or (fact.target in TERMINAL and self._offers.some_wait):
            self._facts.add(fact)
            self._wake.set()

    async def _run(self, slots: Callable[[], int]) -> None:
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
            offer = partial(self._offers.offer, AHEAD * max(1, slots()))
            seen = await persist(offer, self._clock, _log, complaint, action="offers_wait")
            self._facts.difference_update(seen)
            due = await persist(
                self._queue.next_due, self._clock, _log, complaint, action="offers_wait"
            )
            if due is not None:
                timer = loop.call_later(max(0.0, due - self._clock.now()), self.look_again)
