"""The port through which an action starts child runs of the run that calls it.

May import model and `engine.masking` only.
"""

from typing import Any, Protocol

from msgspec.structs import replace

from aura_aio.engine.masking import Mask
from aura_aio.model import json
from aura_aio.model.children import ChildEnd, ChildRequest
from aura_aio.model.sealing import PassedOn


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


class AttemptChildRuns:
    """The child runs of one attempt. It is said what they are given of the secrets that `mask`
    knows; labels, which everybody sees, are masked.
    """

    def __init__(self, child_runs: ChildRuns, mask: Mask) -> None:
        self._child_runs = child_runs
        self._mask = mask

    def ask(self, request: ChildRequest) -> ChildRun:
        """Ask for a child run; returns at once."""
        hide = self._mask.text
        inputs: dict[str, Any] = json.loads(request.inputs)
        found = {
            name: self._mask.found_in(json.dumps(value).decode()) for name, value in inputs.items()
        }
        passed_on = PassedOn(
            inputs=tuple(name for name, values in found.items() if values),
            values=tuple(dict.fromkeys(value for values in found.values() for value in values)),
        )
        labels = {hide(key): hide(value) for key, value in request.labels.items()}
        return self._child_runs.ask(replace(request, passed_on=passed_on, labels=labels))
