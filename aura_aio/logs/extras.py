"""What a record of `logging` was given beside its message.

May import the standard library only.
"""

import logging
from typing import Any, Final

_STANDARD: Final = vars(logging.makeLogRecord({})).keys() | {"message", "asctime", "taskName"}


def extras_of(record: logging.LogRecord) -> dict[str, Any]:
    """Its `extra` fields, as they are."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
