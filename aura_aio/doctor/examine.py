"""All checks, in the order in which they are told.

May import settings, places, store, model and the rest of `doctor`.
"""

from pathlib import Path

from aura_aio.doctor import jobs, machine, postgres, service, storage
from aura_aio.doctor.findings import Finding, Verdict, wrong
from aura_aio.model.clock import Clock
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import SettingsError
from aura_aio.places import places_of
from aura_aio.settings import Settings
from aura_aio.store.relational.examination import Examined


def examine(settings: Settings, settings_file: Path | None, clock: Clock) -> list[Finding]:
    """What a server with `settings` would find, and what it is like if it runs. `settings_file` is
    where they come from, if secrets are among them. Takes as long as to read the database.
    """
    try:
        places = places_of(settings)
    except SettingsError as error:
        return [of_settings(error), *machine.findings()]
    database, found = _of_database(places.database, clock)
    if settings.store.dispatcher == "procrastinate" and isinstance(places.database, DatabaseUrl):
        database.append(jobs.finding(places.database))
    return [
        *machine.findings(),
        storage.folder(places),
        storage.space(places),
        *database,
        *storage.secrets(settings, places, settings_file, found),
        storage.clock(clock, found),
        service.plans(places),
        service.tokens(settings.http, found, clock),
        service.server(settings.http, places),
    ]


def _of_database(
    database: Path | DatabaseUrl, clock: Clock
) -> tuple[list[Finding], Examined | None]:
    if isinstance(database, DatabaseUrl):
        return postgres.findings(database, clock)
    finding, found = storage.database(database)
    return [finding, storage.journal(database)], found


def of_settings(error: SettingsError) -> Finding:
    """What to do about settings that are wrong."""
    return wrong("settings", str(error), "See what is in force, and from where: aura config")


def is_well(findings: list[Finding]) -> bool:
    """Whether nothing is wrong."""
    return all(each.verdict is not Verdict.WRONG for each in findings)
