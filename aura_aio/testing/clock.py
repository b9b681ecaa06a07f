"""Time that passes only where something waits for it: a clock, an event loop, and its threads.

May import the standard library only; the clock is a `model.clock.Clock`.
"""

import asyncio
import math
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_BEGIN: Final = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
# An event loop takes what is due within this time for due. After some months, where a float cannot
# tell it from none, a time must be passed by to be reached.
_RESOLUTION: Final = 1e-9


class VirtualClock:
    """The clock of a test: it begins at noon (UTC) of 2026-01-01, and stands still but for what is
    waited for. A wait ends at once, and exactly at its time.
    """

    def __init__(self) -> None:
        self._epoch = _BEGIN.timestamp()
        self._passed = 0.0

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return self._epoch + self._passed

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return self._passed

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`, on a `VirtualLoop` of this clock."""
        await asyncio.sleep(max(0.0, seconds))

    @property
    def time(self) -> datetime:
        """The time, in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass.

        Raises:
            ValueError: they are less than none.
        """
        if seconds < 0:
            raise ValueError(f"Time does not go back: {seconds} seconds are less than none.")
        self._passed += seconds
        if self._passed + _RESOLUTION == self._passed:
            self._passed = math.nextafter(self._passed, math.inf)

    def set(self, moment: datetime) -> None:
        """Make it `moment`, in whatever direction; what waits does so as long as before.

        Raises:
            ValueError: it has no time zone.
        """
        if moment.tzinfo is None:
            raise ValueError(f"{moment} has no time zone: add tzinfo=UTC, for example.")
        self._epoch = moment.timestamp() - self._passed


class Threads(ThreadPoolExecutor):
    """Threads that tell whether they are at work; `wake` is called, in them, when one is done."""

    def __init__(self, most: int, wake: Callable[[], object]) -> None:
        super().__init__(most, thread_name_prefix="action")
        self._wake = wake
        self._count = 0
        self._guard = Lock()

    @property
    def are_busy(self) -> bool:
        """Whether there is work that is not done, or of whose end others have not been told."""
        return self._count > 0

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """As any executor; but whoever sees `are_busy` end has been told of the result."""
        outer: Future[T] = Future()

        def work() -> T | None:
            return function(*args, **kwargs) if outer.set_running_or_notify_cancel() else None

        def settle(inner: "Future[T | None]") -> None:
            try:
                _hand_on(inner, outer)
            finally:
                self._add(-1)
                self._wake()

        self._add(1)
        super().submit(work).add_done_callback(settle)
        return outer

    def _add(self, number: int) -> None:
        with self._guard:
            self._count += number


def _hand_on(inner: "Future[Any]", outer: "Future[Any]") -> None:
    if inner.cancelled() or outer.cancelled():
        outer.cancel()
    elif (error := inner.exception()) is not None:
        outer.set_exception(error)
    else:
        outer.set_result(inner.result())


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that goes by a `VirtualClock`: where it has nothing to do but wait for a time,
    it is that time. While a thread is at work, or a connection or a process is there, it waits as
    any loop does.
    """

    def __init__(self, clock: VirtualClock, most_threads: int = 32) -> None:
        selector = _Selector(clock, self._is_busy)
        super().__init__(selector)
        selector.own = len(selector.get_map())
        self._virtual_clock = clock
        self._processes: list[asyncio.SubprocessTransport] = []
        self._starting = 0
        self.threads = Threads(most_threads, self._notice)
        self.set_default_executor(self.threads)

    def time(self) -> float:
        """The clock's seconds."""
        return self._virtual_clock.monotonic()

    async def subprocess_exec(self, *args: Any, **kwargs: Any) -> Any:
        """Start a process, as any loop does."""
        return await self._noted(super().subprocess_exec(*args, **kwargs))

    async def subprocess_shell(self, *args: Any, **kwargs: Any) -> Any:
        """Start a shell, as any loop does."""
        return await self._noted(super().subprocess_shell(*args, **kwargs))

    async def _noted(self, started: Coroutine[Any, Any, Any]) -> Any:
        self._starting += 1
        try:
            transport, protocol = await started
        finally:
            self._starting -= 1
        self._processes.append(transport)
        return transport, protocol

    def _is_busy(self) -> bool:
        self._processes = [each for each in self._processes if each.get_returncode() is None]
        return self.threads.are_busy or bool(self._processes) or self._starting > 0

    def _notice(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: a thread was left behind
            self.call_soon_threadsafe(lambda: None)


class _Selector(selectors.DefaultSelector):
    """Waits for files; where there are none, the time that it would take passes at once."""

    def __init__(self, clock: VirtualClock, is_busy: Callable[[], bool]) -> None:
        super().__init__()
        self.own = 0
        """How many files are the loop's own: those by which it is woken."""
        self._clock = clock
        self._is_busy = is_busy
        self._waited = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """The files that are ready; none when `timeout` has passed on the clock."""
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if not self._is_busy() and len(self.get_map()) <= self.own:
            self._waited = 0.0
            found = super().select(0)
            if not found:
                self._clock.advance(timeout)
            return found
        # What threads and connections take is no time, until it is more than somebody allows.
        begin = time.monotonic()
        found = super().select(max(0.0, timeout - self._waited))
        self._waited += time.monotonic() - begin
        if not found and self._waited >= timeout:
            self._waited = 0.0
            self._clock.advance(timeout)
        return found
