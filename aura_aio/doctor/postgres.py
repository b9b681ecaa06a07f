"""The database, where it is on a PostgreSQL server: whether it can be reached and used, its clock.

May import store, model, and `doctor.findings`.
"""

from typing import Final

from aura_aio.doctor.findings import Finding, ok, warning, wrong
from aura_aio.model.clock import Clock
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import SettingsError, StoreUnavailable
from aura_aio.store.opening import require_postgres
from aura_aio.store.relational.examination import Examined

_SKEW_SEC: Final = 5.0


def findings(url: DatabaseUrl, clock: Clock) -> tuple[list[Finding], Examined | None]:
    """What is found of the database; and what is in it, as far as it can be read."""
    try:
        require_postgres()
        from aura_aio.doctor import upkeep  # noqa: PLC0415 - it may be missing
        from aura_aio.store.postgres.examination import examined  # noqa: PLC0415 - as well

        before = clock.now()
        found = examined(url)
        after = clock.now()
    except SettingsError as error:
        return [wrong("database", str(error), "See what is in force with: aura config")], None
    except StoreUnavailable as error:
        mend = "See that the server runs, and that its address, user and password are these."
        return [wrong("database", str(error), mend)], None
    if found.condition is None:
        mend = "Name the server that takes writes; of several (host1,host2) it is found by itself."
        return [wrong("database", found.refusal, mend)], None
    if found.refusal:
        mend = "Name another database with --database, or start the version that has written it."
        return [wrong("database", found.refusal, mend)], None
    version, newest = found.examined.version, found.examined.newest_version
    state = "" if version == newest else ", which the next start brings up"
    detail = f"{url}, PostgreSQL {found.release}, schema {version}{state}"
    skew_sec = max(before - found.time, found.time - after, 0.0)
    told = [ok("database", detail), _of_skew(skew_sec), *upkeep.findings(found.condition)]
    return told, found.examined


def _of_skew(skew_sec: float) -> Finding:
    if skew_sec > _SKEW_SEC:
        return warning(
            "database clock",
            f"it differs from this machine's by {skew_sec:,.0f} s",
            "Let both be set: timedatectl set-ntp true",
        )
    return ok("database clock", "it agrees with this machine's")
