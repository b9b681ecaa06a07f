"""The tables of Procrastinate, where it hands out runs: whether they fit, and what is in them.

May import store, model, and `doctor.findings`.
"""

from aura_aio.doctor.findings import Finding, ok, wrong
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import SettingsError, StoreUnavailable


def finding(url: DatabaseUrl) -> Finding:
    """What is found of them."""
    try:
        from aura_aio.store.postgres.job_tables import examined  # noqa: PLC0415 - it may be missing

        found = examined(url)
    except ImportError:
        mend = "pip install 'aura-aio[postgres]'"
        return wrong("jobs", "Procrastinate hands out runs, and is not installed", mend)
    except (SettingsError, StoreUnavailable) as error:
        return wrong("jobs", str(error), "See that the database can be reached, and used.")
    if found.fault:
        mend = "Do so, or install the version of Procrastinate that has made them."
        return wrong("jobs", found.fault, mend)
    if not found.are_there:
        return ok("jobs", f"Procrastinate {found.version}; the next start makes its tables")
    told = f"{found.waiting} offered, {found.taken} at {found.hosts} hosts"
    return ok("jobs", f"Procrastinate {found.version}: {told}")
