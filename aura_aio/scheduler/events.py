"""The event bus: facts about runs, published after their commit, and who waits for them.

May import the standard library and model only.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from aura_aio.model.run import RunChanged
from aura_aio.model.states import TERMINAL

Listener = Callable[[RunChanged], None]


class EventBus:
    """Ordered and synchronous: every listener sees every fact, in the order of the commits.

    A listener must return at once and must not raise.
    """

    def __init__(self) -> None:
        self._own = _Listeners()
        self._others = _Listeners()

    def subscribe(
        self,
        listener: Listener,
        *,
        heard: Listener | None = None,
        own_only: bool = False,
        ends_only: bool = False,
    ) -> None:
        """Call `listener` with every fact from now on; with `own_only` not with those of other
        servers on the same database, for which `heard` is called in its place if there is one; with
        `ends_only` with ends of runs only.
        """
        self._own.add(listener, ends_only=ends_only)
        if not own_only:
            self._others.add(heard or listener, ends_only=ends_only)

    def publish(self, fact: RunChanged) -> None:
        """Tell every listener, in the order of their subscription (on the event loop)."""
        for listener in self._own.of(fact):
            listener(fact)

    def hear(self, fact: RunChanged) -> None:
        """Tell the listeners of a fact that another server has brought about."""
        for listener in self._others.of(fact):
            listener(fact)


class _Listeners:
    """Sorted when they subscribe: of the three facts of a usual run most listen to one."""

    def __init__(self) -> None:
        self._of_ends: list[Listener] = []
        self._of_others: list[Listener] = []

    def add(self, listener: Listener, *, ends_only: bool) -> None:
        """One more."""
        self._of_ends.append(listener)
        if not ends_only:
            self._of_others.append(listener)

    def of(self, fact: RunChanged) -> Sequence[Listener]:
        """Who listens to it, in order."""
        return self._of_ends if fact.target in TERMINAL else self._of_others


class RunEnds:
    """Who waits for the end of which run: one look-up per fact, however many wait."""

    def __init__(self, bus: EventBus) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._closed = False
        self._held: set[asyncio.Event] = set()
        bus.subscribe(self._run_changed, ends_only=True)

    @contextmanager
    def watch(self, cid: str) -> Iterator[asyncio.Event]:
        """An event that is set when the run `cid` ends while the context is open.

        It is set as well when nobody shall wait any more, see `close`.
        """
        ended = asyncio.Event()
        if self._closed:
            ended.set()
        self._waiting[cid].add(ended)
        try:
            yield ended
        finally:
            self._waiting[cid].discard(ended)
            if not self._waiting[cid]:
                del self._waiting[cid]

    @contextmanager
    def let_go(self) -> Iterator[asyncio.Event]:
        """An event that is set when nobody shall wait any more, see `close`; for who waits for
        something else than the end of a run.
        """
        released = asyncio.Event()
        if self._closed:
            released.set()
        self._held.add(released)
        try:
            yield released
        finally:
            self._held.discard(released)

    def waited_for(self) -> frozenset[str]:
        """The runs whose end somebody waits for."""
        return frozenset(self._waiting)

    def close(self) -> None:
        """Let go everybody who waits, and hold nobody from now on: the server shuts down."""
        self._closed = True
        for waiting in self._waiting.values():
            for ended in waiting:
                ended.set()
        for released in self._held:
            released.set()

    def _run_changed(self, fact: RunChanged) -> None:
        for ended in self._waiting.get(fact.cid, ()):
            ended.set()
