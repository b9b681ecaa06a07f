"""The event bus: who is told which facts, and in which order.

Imports aura_aio.scheduler.events, model and pytest.
"""

import pytest

from aura_aio.model.run import RunChanged
from aura_aio.model.states import TERMINAL, RunState
from aura_aio.scheduler.events import EventBus, Listener, RunEnds


@pytest.mark.parametrize("target", RunState)
@pytest.mark.parametrize("is_own", [True, False])
def test_who_is_told(target: RunState, is_own: bool) -> None:
    bus, told = EventBus(), list[str]()

    fact = RunChanged("c", RunState.RUNNING, target, 1, 0.0)

    def listener(name: str) -> Listener:
        return lambda heard: told.append(name) if heard is fact else None

    bus.subscribe(listener("own ends"), own_only=True, ends_only=True)
    bus.subscribe(listener("all"))
    bus.subscribe(listener("ends"), ends_only=True)
    bus.subscribe(listener("own"), own_only=True)
    (bus.publish if is_own else bus.hear)(fact)
    expected = ["own ends", "all", "ends", "own"]
    if target not in TERMINAL:
        expected = [name for name in expected if "ends" not in name]
    if not is_own:
        expected = [name for name in expected if "own" not in name]
    assert told == expected


async def test_it_is_known_whose_end_is_waited_for() -> None:
    ends = RunEnds(EventBus())
    with ends.watch("a"), ends.watch("a"), ends.watch("b"):
        assert ends.waited_for() == {"a", "b"}
    assert ends.waited_for() == frozenset()
