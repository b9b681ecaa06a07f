"""What a server has no room for now: errors that pass by themselves.

May import `model.errors` and the standard library only.
"""

from typing import ClassVar

from aura_aio.model.errors import AuraError


class TooManyMonitors(AuraError):
    """As many monitors of the log are connected as may be (a 503)."""

    code = "too-many-monitors"
    retry_after_sec: ClassVar[int] = 5

    def __init__(self, limit: int) -> None:
        super().__init__(f"The log has as many monitors as it may ({limit}): try again later.")
