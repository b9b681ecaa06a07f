"""The data folder: space, the database, its journal, the files with secrets, the clock.

May import store, callback_key, vault, secret_files, places, settings, model, and `doctor.findings`.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from aura_aio import callback_key, vault
from aura_aio.doctor.findings import Finding, ok, warning, wrong
from aura_aio.model.clock import Clock, rfc3339
from aura_aio.model.errors import SettingsError, StoreUnavailable
from aura_aio.places import Places
from aura_aio.secret_files import refuse_if_public
from aura_aio.settings import Settings
from aura_aio.store.relational.examination import Examined
from aura_aio.store.sqlite.examination import examined

_MIB: Final = 1024 * 1024
_FULL_BYTES: Final = 100 * _MIB
_NEARLY_FULL_BYTES: Final = 1024 * _MIB
_LONG_JOURNAL_BYTES: Final = 256 * _MIB
"""Four times what is kept of it: something keeps it from being taken over into the database."""
_AHEAD_SEC: Final = 60.0

RESTORE: Final = "Bring it back from a backup: aura restore FILE --replace"


def folder(places: Places) -> Finding:
    """Whether the server can keep its data there."""
    data = places.data_dir
    if data.is_dir():
        if os.access(data, os.R_OK | os.W_OK | os.X_OK):
            return _of_folder(places)
    elif data.exists():
        return wrong("data folder", f"{data} is no folder", "Name another one with --data-dir.")
    elif os.access(_there(data), os.W_OK | os.X_OK):
        return ok("data folder", f"{data}, which the first start makes")
    return wrong(
        "data folder",
        f"{data} cannot be written to by this user",
        "Run the server, and this, as the user whom the folder belongs to, or change its owner.",
    )


def _of_folder(places: Places) -> Finding:
    database = places.database
    if isinstance(database, Path) and _can_be_read_by_all(database):
        return warning(
            "data folder",
            f"everybody on this machine can read {database}, with what runs were given",
            f"chmod o= {database.parent}",
        )
    return ok("data folder", str(places.data_dir))


def space(places: Places) -> Finding:
    """Whether the disk has room."""
    place = _there(places.disk)
    free = shutil.disk_usage(place).free
    detail = f"{_size(free)} free at {place}"
    mend = "Make room: remove what is not needed, or move the data folder to a larger disk."
    if free < _FULL_BYTES:
        return wrong("disk", detail, mend)
    return warning("disk", detail, mend) if free < _NEARLY_FULL_BYTES else ok("disk", detail)


def database(path: Path) -> tuple[Finding, Examined | None]:
    """Whether the database can be used; and what is in it, as far as it can be read."""
    if not path.exists():
        return ok("database", f"none yet at {path}: the first start makes it"), None
    try:
        found = examined(path)
    except StoreUnavailable as error:
        return wrong("database", str(error), f"Look at its owner and mode. {RESTORE}"), None
    return _of_database(path, found), found


def _of_database(path: Path, found: Examined) -> Finding:
    if not found.is_ours:
        detail = f"{path} is the database of another program"
        return wrong("database", detail, "Name another one with --database or --data-dir.")
    if found.version > found.newest_version:
        detail = (
            f"{path} was written by a newer version of Aura: its schema is {found.version}, this "
            f"version knows {found.newest_version}"
        )
        return wrong("database", detail, "Start that version, or restore a backup of this one.")
    if found.damage is not None:
        return wrong("database", f"{path} is damaged: {found.damage}", RESTORE)
    if found.missing:
        detail = f"{path} lacks {', '.join(found.missing)}"
        return wrong("database", detail, RESTORE)
    state = "" if found.version == found.newest_version else ", which the next start brings up"
    size = _size(path.stat().st_size)
    return ok("database", f"{path}, {size}, sound, schema {found.version}{state}")


def journal(database: Path) -> Finding:
    """Whether the journal beside the database is taken over into it."""
    path = database.with_name(database.name + "-wal")
    size = path.stat().st_size if path.exists() else 0
    if size > _LONG_JOURNAL_BYTES:
        return warning(
            "journal",
            f"{path} has {_size(size)}: somebody reads the database without end",
            f"Find who has it open, and end that: fuser {path}",
        )
    return ok("journal", f"{_size(size)} that are not in the database yet" if size else "empty")


def clock(now: Clock, found: Examined | None) -> Finding:
    """Whether it is later than when the newest row was written."""
    time = now.now()
    detail = f"it is {rfc3339(time)}"
    if found is not None and found.latest_at is not None and found.latest_at > time + _AHEAD_SEC:
        return wrong(
            "clock",
            f"{detail}, but the database was written to at {rfc3339(found.latest_at)}",
            "Set the clock, or let it be set (timedatectl set-ntp true): cids sort by time.",
        )
    return ok("clock", detail)


def secrets(
    settings: Settings, places: Places, settings_file: Path | None, found: Examined | None
) -> Iterator[Finding]:
    """Whether the files with secrets are there, and can be read by those alone who should.

    `settings_file` is that of the settings, if secrets stand in it.
    """
    sealing = places.data_dir / vault.KEY_FILE
    if found is not None and found.has_sealed and not sealing.exists():
        yield wrong(
            "secrets",
            f"{sealing} is missing, without which secret inputs in the database cannot be read",
            "Bring it back from a backup, before the server makes a new one.",
        )
        return
    wanted = [Path(settings.workers.secrets_file)] if settings.workers.secrets_file else []
    keys = [sealing, places.data_dir / callback_key.KEY_FILE]
    files = [*wanted, *(key for key in keys if key.exists())]
    files += [settings_file] if settings_file is not None else []
    faults = [fault for file in files if (fault := _fault_of(file)) is not None]
    yield from faults
    if not faults:
        told = ", ".join(file.name for file in files) or "no file yet"
        yield ok("secrets", f"nobody else can read them: {told}" if files else told)


def _can_be_read_by_all(file: Path) -> bool:
    """Whether who is not of the owner's group can open the file, as far as its folder lets them."""
    if os.name != "posix" or not file.exists():
        return False
    return bool(file.stat().st_mode & 0o004 and file.parent.stat().st_mode & 0o001)


def _fault_of(file: Path) -> Finding | None:
    try:
        refuse_if_public(file)
        file.read_bytes()
    except SettingsError as error:
        detail, _, mend = str(error).rpartition(": ")
        return wrong("secrets", detail, mend)
    except OSError as error:
        return wrong(
            "secrets", f"{file} cannot be read: {error.strerror}", "Look at its place, owner, mode."
        )
    return None


def _there(path: Path) -> Path:
    """The nearest folder of `path` that exists."""
    return next(each for each in (path, *path.parents) if each.exists())


def _size(count: int) -> str:
    for unit, size in (("GiB", 1024 * _MIB), ("MiB", _MIB), ("KiB", 1024)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} bytes"
