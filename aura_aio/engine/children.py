"""The port through which an action starts child runs of the run that calls it.

May import model only.
"""

from typing import Protocol

from aura_aio.model.children import ChildEnd, ChildRequest


class ChildRun(Protocol):
    """A child run that was asked for."""

    async def started(self) -> str:
        """Its cid, once it is on disk: since now, or because the same call had asked for it in an
        earlier attempt of the parent.

        Raises:
            ChildNotStarted: there is none; the sentence says why.
        """
        ...

    async def ended(self) -> ChildEnd:
        """How it has ended, once it has; for a child that was asked for with `wait`."""
        ...

    def drop(self) -> None:
        """Cancel it: nobody waits for it any more."""
        ...


class ChildRuns(Protocol):
    """Starts child runs."""

    def ask(self, request: ChildRequest) -> ChildRun:
        """Ask for a child run; returns at once."""
        ...
