"""The settings of the store, a branch of those in `settings`.

May import the standard library and msgspec only.
"""

from typing import Annotated

import msgspec
from msgspec import Meta


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where everything that survives is kept."""

    data_dir: Annotated[
        str, Meta(description="Folder for the database and the data of plans; made if missing.")
    ] = ".aura"
    database: Annotated[
        str,
        Meta(
            description="Where runs and logs are: a file of SQLite, or a database on a PostgreSQL "
            "server (postgresql://user@host/name; needs pip install 'aura-aio[postgres]'). Empty: "
            "aura.db in the data folder. With a password in it better in the variable.",
            extra={"address": True},
        ),
    ] = ""
    dispatcher: Annotated[
        str,
        Meta(
            pattern="^(local|procrastinate)$",
            description="How runs get to hosts that share a database. local: each host takes them "
            "out of the queue by itself; procrastinate: they are offered as jobs of Procrastinate, "
            "in its tables beside ours (PostgreSQL only).",
        ),
    ] = "local"
    queue_limit: Annotated[
        int, Meta(ge=1, description="How many runs may be queued; one more answers 429.")
    ] = 1_000_000
    max_attempts: Annotated[
        int,
        Meta(ge=1, description="Attempts a run may lose its worker in; then it fails (PoisonRun)."),
    ] = 3
    host_lost_sec: Annotated[
        float,
        Meta(
            ge=1,
            description="Seconds of silence after which a server, or host of workers, is given up "
            "by the others on its database, and its runs are lost (PostgreSQL only).",
        ),
    ] = 15.0
