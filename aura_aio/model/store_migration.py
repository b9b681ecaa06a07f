"""Why what is in one database was not moved to another.

May import the rest of `model` only.
"""

from aura_aio.model.errors import AuraError


class NotMigrated(AuraError):
    """What is in a database was not moved; neither of the two was changed."""

    code = "not-migrated"
