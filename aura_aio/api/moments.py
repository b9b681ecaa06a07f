"""Times as the contract spells them.

May import the standard library only.
"""

import re
from datetime import datetime
from typing import Any, Final

_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])",
    re.ASCII,
)


def moment_of(value: Any) -> datetime | None:
    """A date-time of RFC 3339 with its offset, as an aware `datetime`; None if it is none."""
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError:  # the 31st of February
        return None
