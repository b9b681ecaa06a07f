"""The event bus: who is told which facts, and in which order.

Imports aura_aio.scheduler.events, model and pytest.
"""

import pytest

from aura_aio.model.run import RunChanged
from aura_aio.model.states import TERMINAL, RunState
from aura_aio.scheduler.events import EventBus, Listener


@pytest.mark.parametrize("target", RunState)
@pytest.mark.parametrize("is_own", [True, False])
def test_who_is_told(target: RunState, is_own: bool) -> None:
    bus, told = EventBus(), list[str]()

    def listener(name: str) -> Listener:
        return lambda _: told.append(name)

    bus.subscribe(listener("own ends"), own_only=True, ends_only=True)
    bus.subscribe(listener("all"))
    bus.subscribe(listener("ends"), ends_only=True)
    bus.subscribe(listener("own"), own_only=True)
    (bus.publish if is_own else bus.hear)(RunChanged("c", RunState.RUNNING, target, 1, 0.0))
    expected = ["own ends", "all", "ends", "own"]
    if target not in TERMINAL:
        expected = [name for name in expected if "ends" not in name]
    if not is_own:
        expected = [name for name in expected if "own" not in name]
    assert told == expected
