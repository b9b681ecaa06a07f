"""Why there is no backup, or nothing was restored from one.

May import the rest of `model` only.
"""

from aura_aio.model.errors import AuraError


class BackupRefused(AuraError):
    """A backup was not written, or not restored; nothing was changed."""

    code = "backup-refused"
