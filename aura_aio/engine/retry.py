"""Whether and when an action is called again.

May import model and `engine.failures`. Pure: chance comes in as a number.
"""

from typing import Final

from aura_aio.engine.failures import classes
from aura_aio.model.plan import OnException, OnResult

MAX_WAIT_SEC: Final = 86_400.0


def wait_after_exception(
    policy: OnException | None, failures: int, error: BaseException, *, chance: float
) -> float | None:
    """Seconds until the next call after the `failures`-th call that raised; None: no more calls.

    `chance` is a number from 0 to below 1, for `jitter`: it cuts the wait by up to a half.
    """
    if policy is None or failures > policy.retry or not _is_one_of(error, policy.retry_on):
        return None
    limit = MAX_WAIT_SEC if policy.max_delay is None else policy.max_delay
    try:
        wait = min(limit, policy.delay * policy.backoff ** (failures - 1))
    except OverflowError:
        wait = limit
    return wait * (1 - chance / 2) if policy.jitter else wait


def wait_after_result(policy: OnResult, refusals: int) -> float | None:
    """Seconds until the next call after the `refusals`-th result that `retry_when` refused."""
    return policy.delay if refusals <= policy.max_retries else None


def _is_one_of(error: BaseException, names: tuple[str, ...] | None) -> bool:
    """Whether the class of `error`, or one that it is derived from, has one of these names, alone
    or with its module.
    """
    known = classes(error)
    return "builtins.Exception" in known if names is None else not set(known).isdisjoint(names)
