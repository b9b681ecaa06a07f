"""How a PostgreSQL server is doing: standbys, open transactions, vacuum, connections.

May import store, model, and `doctor.findings`.
"""

from collections.abc import Iterator
from typing import Final

from aura_aio.doctor.findings import Finding, ok, warning, wrong
from aura_aio.store.postgres.condition import Condition, Dead, Standby

_LATE_SEC: Final = 30.0
_LATE_BYTES: Final = 256 * 1024 * 1024
_LONG_SEC: Final = 300.0
_MANY_DEAD: Final = 100_000
_VACUUMED_SEC: Final = 3600.0
_OLD: Final = 1_000_000_000
"""Five times the age at which autovacuum begins to do something about it, unless told otherwise."""
_LAST: Final = 1_800_000_000
_NEEDED: Final = 5
"""Connections of a server."""


def findings(found: Condition) -> Iterator[Finding]:
    """All of them."""
    yield _of_standbys(found.standbys)
    yield _of_transactions(found)
    yield _of_vacuum(found)
    yield _of_connections(found.left)


def _of_standbys(standbys: tuple[Standby, ...]) -> Finding:
    if not standbys:
        return ok("standbys", "none follows now: what is lost with this server is lost")
    late = [each for each in standbys if _is_late(each)]
    if late:
        told = ", ".join(f"{each.name} by {_behind(each)}" for each in late)
        mend = "See what they wait for: pg_stat_replication here, the log of the server there."
        return warning("standbys", f"behind: {told}", mend)
    if hidden := [each.name for each in standbys if each.state is None]:
        told = f"how far {', '.join(hidden)} is behind is not shown to this user"
        return warning("standbys", told, "To see it: GRANT pg_monitor TO the user.")
    return ok("standbys", f"{len(standbys)}, at the most {_most_behind(standbys)} behind")


def _is_late(standby: Standby) -> bool:
    return (standby.behind_sec or 0) > _LATE_SEC or (standby.behind_bytes or 0) > _LATE_BYTES


def _behind(standby: Standby) -> str:
    size = (standby.behind_bytes or 0) / 1024 / 1024
    seconds = "" if standby.behind_sec is None else f", {standby.behind_sec:,.0f} s"
    return f"{size:,.0f} MiB{seconds} ({standby.state})"


def _most_behind(standbys: tuple[Standby, ...]) -> str:
    return f"{max(each.behind_sec or 0.0 for each in standbys):,.1f} s"


def _of_transactions(found: Condition) -> Finding:
    if found.oldest is None or found.oldest.since_sec < _LONG_SEC:
        return ok("transactions", "none is open for long")
    minutes, whose = found.oldest.since_sec / 60, found.oldest.whose
    return warning(
        "transactions",
        f"one is open for {minutes:,.0f} min ({whose}): no row that has changed since can be "
        "cleared away, and tables grow",
        "End it (SELECT pg_terminate_backend(PROCESS), ROLLBACK PREPARED), and find out who "
        "leaves it open.",
    )


def _of_vacuum(found: Condition) -> Finding:
    if found.age > _OLD:
        detail = (
            f"numbers of {found.age:,} transactions are in use; near 2,000,000,000 the server "
            "takes no more writes"
        )
        mend = "Run VACUUM (FREEZE) as the owner, and find out what keeps autovacuum from it."
        verdict = wrong if found.age > _LAST else warning
        return verdict("vacuum", detail, mend)
    if not found.vacuums:
        detail = "autovacuum is off: tables grow, and the server stops in the end"
        return warning("vacuum", detail, "ALTER SYSTEM SET autovacuum = on, and reload.")
    if found.dead is not None and _is_neglected(found.dead):
        table, live, dead, _ = found.dead
        return warning(
            "vacuum",
            f"the table {table} has {dead:,} rows that are dead beside {live:,}, and was not "
            "vacuumed for more than an hour",
            "See whether a transaction is open for long, and whether autovacuum has enough to do "
            "its work with (autovacuum_vacuum_cost_limit).",
        )
    return ok("vacuum", "autovacuum is on, and keeps up")


def _is_neglected(dead: Dead) -> bool:
    many = dead.dead > _MANY_DEAD and dead.dead > dead.live / 2
    return many and (dead.vacuumed_sec is None or dead.vacuumed_sec > _VACUUMED_SEC)


def _of_connections(left: int) -> Finding:
    detail = f"{max(0, left)} more can be made by this user"
    if left < _NEEDED:
        return warning(
            "connections",
            f"{detail}, and each server needs {_NEEDED}",
            "Raise max_connections, or the limit of the user or the database.",
        )
    return ok("connections", detail)
