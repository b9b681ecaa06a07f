"""When an action is called again.

Imports pytest, Hypothesis, and aura_aio's engine and model.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aura_aio.engine.retry import MAX_WAIT_SEC, wait_after_exception, wait_after_result
from aura_aio.model.plan import OnException, OnResult


class Custom(ConnectionError):
    """An exception of a plan."""


def waits(policy: OnException, chance: float = 0.0) -> list[float]:
    found: list[float] = []
    while (
        wait := wait_after_exception(policy, len(found) + 1, ValueError(), chance=chance)
    ) is not None:
        found.append(wait)
    return found


def test_pauses_grow_up_to_their_limit() -> None:
    assert waits(OnException(retry=5, delay=1, backoff=2, max_delay=5)) == [1, 2, 4, 5, 5]
    assert waits(OnException(retry=3, delay=2)) == [2, 2, 2]
    assert waits(OnException(retry=2)) == [0, 0]
    assert waits(OnException()) == []


def test_pauses_never_overflow() -> None:
    policy = OnException(retry=9999, delay=1, backoff=10)
    assert wait_after_exception(policy, 9999, ValueError(), chance=0.0) == MAX_WAIT_SEC


@given(st.floats(0, 1, exclude_max=True))
def test_jitter_cuts_a_pause_by_up_to_a_half(chance: float) -> None:
    policy = OnException(retry=1, delay=8, jitter=True)
    (wait,) = waits(policy, chance)
    assert 4 <= wait <= 8


@pytest.mark.parametrize(
    ("error", "names", "again"),
    [
        (ValueError(), None, True),
        (KeyboardInterrupt(), None, False),
        (KeyboardInterrupt(), ("KeyboardInterrupt",), True),
        (Custom(), ("Custom",), True),
        (Custom(), ("ConnectionError",), True),
        (Custom(), ("OSError",), True),
        (Custom(), (f"{__name__}.Custom",), True),
        (Custom(), ("builtins.OSError",), True),
        (Custom(), ("ValueError", "TimeoutError"), False),
        (TimeoutError(), ("TimeoutError",), True),
        (Custom(), ("custom",), False),
    ],
)
def test_exceptions_are_told_by_their_classes(
    error: BaseException, names: tuple[str, ...] | None, again: bool
) -> None:
    policy = OnException(retry=1, retry_on=names)
    assert (wait_after_exception(policy, 1, error, chance=0.0) is not None) is again


def test_without_a_policy_there_is_no_retry() -> None:
    assert wait_after_exception(None, 1, ValueError(), chance=0.0) is None


def test_results_are_refused_so_often_and_not_more() -> None:
    policy = OnResult("{{ true }}", max_retries=2, delay=3)
    assert [wait_after_result(policy, count) for count in (1, 2, 3)] == [3, 3, None]
