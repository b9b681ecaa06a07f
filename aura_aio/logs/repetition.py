"""What goes on being wrong is said once a minute.

May import `extras` and the standard library only.
"""

import logging
from typing import Final

from aura_aio.logs.extras import extras_of

AGAIN_SEC: Final = 60.0
_MOST_KNOWN: Final = 200


class SaysOnceAMinute(logging.Filter):
    """Holds back a record with a `reason` when all of it has been said within the last minute, by
    the records' own times: as whatever is tried again and again while a database is away.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[object, ...], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is to be said."""
        extras = extras_of(record)
        # A value of any other type may do as it likes when it is looked at.
        plain = all(isinstance(value, str | int | float) for value in extras.values())
        if "reason" not in extras or not plain:
            return True
        what = (record.name, record.levelno, record.getMessage(), *sorted(extras.items()))
        if 0 <= record.created - self._said.get(what, -AGAIN_SEC) < AGAIN_SEC:
            return False
        if len(self._said) >= _MOST_KNOWN:
            self._said.clear()
        self._said[what] = record.created
        return True
