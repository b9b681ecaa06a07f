"""Calls back: tells who asked for it that a run has ended, until it is told or given up.

May import the rest of `scheduler` and model; the store and what sends come in as ports.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from aura_aio.model.callback import CallbackStatus, CallbackStore, CallbackTry, DueCallback
from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks, first_of
from aura_aio.model.errors import StoreUnavailable
from aura_aio.model.fleet import Leadership
from aura_aio.model.ports import RunStore
from aura_aio.model.run import Run, RunChanged

_log = logging.getLogger("aura.scheduler.callbacks")

LONGEST_SLEEP_SEC: Final = 60.0
"""The wall clock may be put forward meanwhile, which no sleep notices."""
LONGEST_WAIT_SEC: Final = 21_600.0
LONGEST_ASKED_SEC: Final = 86_400.0
"""A receiver that asks for more than a day (`Retry-After`) is tried after one."""
_FACTOR: Final = 3.0
_GONE: Final = 410
"""The receiver's word for: never again."""


class CallbackRules(msgspec.Struct, frozen=True):
    """How often a callback is tried, how long after the first try the second is, in seconds, and
    how many callbacks are under way at a time.
    """

    tries: int
    retry_sec: float
    at_once: int


class Reply(msgspec.Struct, frozen=True):
    """What came of one try: the status that the receiver answered, or None if it did not; why that
    is no delivery, in a sentence, None if it is; and how long the receiver wants to be left alone.
    """

    status_code: int | None = None
    error: str | None = None
    retry_after_sec: float | None = None


class Sender(Protocol):
    """Carries one try out."""

    async def send(self, run: Run, url: str) -> Reply:
        """Tell `url` of the end of `run`; returns within a bounded time, also what went wrong."""
        ...


def wait_sec(rules: CallbackRules, failed: int, reply: Reply, *, chance: float) -> float | None:
    """Seconds until the next try after `failed` ones, of which `reply` is the last; None: never.

    `chance`, from 0 to below 1, cuts the wait by up to a fifth, so that what failed together is not
    tried together.
    """
    if reply.status_code == _GONE or failed >= rules.tries:
        return None
    wait = min(LONGEST_WAIT_SEC, rules.retry_sec * _FACTOR ** (failed - 1)) * (1 - chance / 5)
    return max(wait, min(LONGEST_ASKED_SEC, reply.retry_after_sec or 0.0))


class Callbacks:
    """Delivers each callback at least once, over restarts: the store keeps it with the end of its
    run, and settles it with the try that succeeded (docs/decisions/0026).
    """

    def __init__(
        self,
        store: CallbackStore,
        runs: RunStore,
        sender: Sender,
        rules: CallbackRules,
        clock: Clock,
        leadership: Leadership | None = None,
    ) -> None:
        self._store = store
        self._runs = runs
        self._sender = sender
        self._rules = rules
        self._clock = clock
        self._listeners: list[Callable[[CallbackTry], None]] = []
        self._under_way: set[str] = set()
        self._tried: set[str] = set()
        """What has been tried since it was last looked at what is due, which may not tell of it."""
        self._changed = asyncio.Event()
        self._leadership = leadership or Leadership(leads=True)
        self._leadership.on_gain(self._changed.set)
        self._tasks = CoroutineTasks()

    def start(self) -> None:
        """Begin to deliver what is due, also what was left from before."""
        self._tasks.spawn(self._run())

    async def aclose(self) -> None:
        """Deliver no more; what was not delivered stays due."""
        await self._tasks.aclose()

    @property
    def alive(self) -> bool:
        """Whether callbacks are delivered."""
        return not self._tasks.died

    def on_try(self, listener: Callable[[CallbackTry], None]) -> None:
        """Call `listener` with every try from now on."""
        self._listeners.append(listener)

    def look(self) -> None:
        """Look for what is due: something may have been missed."""
        self._changed.set()

    def run_changed(self, fact: RunChanged) -> None:
        """Look for what is due, if a run has ended that is to be told of."""
        if fact.ended is not None and fact.ended.calls_back:
            self._changed.set()

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            try:
                pause_sec = await self._begin_due()
            except StoreUnavailable as error:
                _log.error(
                    "callbacks wait", extra={"action": "callbacks_wait", "reason": str(error)}
                )
                pause_sec = error.retry_after_sec
            await first_of(self._changed.wait(), self._clock.sleep(pause_sec))

    async def _begin_due(self) -> float:
        """Begin with what is due, as far as there is room; answers for how long nothing is to be
        done, in seconds, if nothing changes.
        """
        if not self._leadership.leads:
            return LONGEST_SLEEP_SEC
        self._tried.clear()
        upcoming = await self._store.upcoming(self._rules.at_once + 1)
        for due in upcoming:
            if due.cid in self._under_way or due.cid in self._tried:
                continue
            left = due.due_at - self._clock.now()
            if left > 0:
                return min(LONGEST_SLEEP_SEC, left)
            if len(self._under_way) >= self._rules.at_once:
                break  # the end of one of these is a change
            self._under_way.add(due.cid)
            self._tasks.spawn(self._deliver(due))
        return LONGEST_SLEEP_SEC

    async def _deliver(self, due: DueCallback) -> None:
        try:
            run = (await self._runs.states([due.cid]))[due.cid]
            if not self._leadership.leads:  # the store has taken so long: another one may have it
                return
            tried = await self._try(due, run)
            await self._store.record(tried)
        except StoreUnavailable as error:  # it stays due
            _log.error("callback waits", extra=_told(due, "callback_waits", reason=str(error)))
            await self._clock.sleep(error.retry_after_sec)
        else:
            _tell(due, tried)
            for listener in self._listeners:
                listener(tried)
        finally:
            self._under_way.discard(due.cid)
            self._tried.add(due.cid)
            self._changed.set()

    async def _try(self, due: DueCallback, run: Run) -> CallbackTry:
        started_at, began = self._clock.now(), self._clock.monotonic()
        try:
            reply = await self._sender.send(run, due.url)
        except Exception as error:  # whatever it is, it must not end the calls to all others
            _log.exception("callback could not be sent", extra=_told(due, "callback_broke"))
            reply = Reply(error=f"{type(error).__name__} in the server, whose log has more.")
        number = due.tries + 1
        wait = None
        if reply.error is not None:
            # Chance keeps what failed together apart; nobody gains by guessing it.
            wait = wait_sec(self._rules, number, reply, chance=random.random())  # noqa: S311
        return CallbackTry(
            cid=due.cid,
            number=number,
            started_at=started_at,
            duration_sec=self._clock.monotonic() - began,
            status_code=reply.status_code,
            error=reply.error,
            next_at=None if wait is None else self._clock.now() + wait,
        )


def _tell(due: DueCallback, tried: CallbackTry) -> None:
    """Say in the log how a try went; where it went to may hold a key of the receiver's."""
    extra = _told(due, f"callback_{tried.status}", status=tried.status_code, reason=tried.error)
    match tried.status:
        case CallbackStatus.DELIVERED:
            _log.info("callback is delivered", extra=extra)
        case CallbackStatus.FAILED:
            _log.error("callback is given up", extra=extra)
        case _:
            _log.warning("callback failed, and is tried again", extra=extra)


def _told(due: DueCallback, action: str, **more: Any) -> dict[str, Any]:
    told = {"action": action, "cid": due.cid, "try": due.tries + 1, **more}
    return {name: value for name, value in told.items() if value is not None}
