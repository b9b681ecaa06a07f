"""Goes on asking a store that is unavailable.

May import the standard library and the rest of model.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from aura_aio.model.clock import Clock
from aura_aio.model.errors import StoreUnavailable

RETRY_SEC: Final = 0.5

T = TypeVar("T")


async def persist(
    ask: Callable[[], Awaitable[T]],
    clock: Clock,
    log: logging.Logger,
    complaint: str,
    **extra: str,
) -> T:
    """What `ask` answers, as soon as the store is available, however long that takes. Each try in
    vain is an error in `log`: the `complaint`, with `extra` and the reason.
    """
    while True:
        try:
            return await ask()
        except StoreUnavailable as error:
            log.error(complaint, extra=extra | {"reason": str(error)})
            await clock.sleep(RETRY_SEC)
