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


class DiskNearlyFull(AuraError):
    """The disk has less room than the settings want to be kept for what is under way (a 503)."""

    code = "disk-nearly-full"
    retry_after_sec: ClassVar[int] = 30

    def __init__(self, least_mib: int) -> None:
        super().__init__(
            f"The disk of the database has less than {least_mib} MiB left, so no new run is taken: "
            "make room. It goes on by itself then."
        )
