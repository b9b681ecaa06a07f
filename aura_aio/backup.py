"""Backups: one file with the database and the keys that belong to it, and the way back.

May import store, callback_key, vault, places and model. Everything here blocks.
"""

import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from aura_aio import callback_key, vault
from aura_aio.model.backup import BackupRefused
from aura_aio.places import Places
from aura_aio.store.sqlite.backup import check_database, copy_database, no_server_has

DATABASE: Final = "aura.db"
KEYS: Final = (vault.KEY_FILE, callback_key.KEY_FILE)
ASIDE: Final = ".before-restore"
"""What the names end with of files that a restore has moved out of its way."""

_PART: Final = ".part"


def back_up(places: Places, file: Path) -> int:
    """Write a backup to `file`, whole or not at all, for its owner alone; its size in bytes.

    A server may have the database open, and goes on; what is in the backup is of one moment. The
    files that plans keep in the data folder are not in it.

    Raises:
        BackupRefused: there is such a file, or it cannot be written.
        StoreUnavailable: the database cannot be copied.
        SettingsError: it is on a PostgreSQL server.
    """
    database = places.database_file("A backup")
    if file.exists():
        raise BackupRefused(f"There is a file {file}: give the backup a name of its own.")
    try:
        with _beside(file) as folder:
            copy_database(database, folder / DATABASE)
            part = folder / file.name
            with open(part, "xb", opener=_for_the_owner) as out:
                with tarfile.open(fileobj=out, mode="w") as archive:
                    archive.add(folder / DATABASE, DATABASE)
                    for key in KEYS:
                        if (places.data_dir / key).exists():
                            archive.add(places.data_dir / key, key)
                out.flush()
                os.fsync(out.fileno())
            part.replace(file)
            return file.stat().st_size
    except OSError as error:
        raise BackupRefused(f"The backup {file} cannot be written: {error}.") from error


def restore(places: Places, file: Path, *, replace: bool) -> None:
    """Put the database and the keys of the backup `file` where the settings want them.

    What is there already is kept beside them, under names that end with ASIDE, if `replace`
    allows it.

    Raises:
        BackupRefused: it is no backup, or something is there and is not to be replaced.
        DatabaseInUse: a server has the database open.
        SettingsError: the settings want it on a PostgreSQL server.
        DatabaseTooNew, StoreUnavailable: the database in it cannot be used.
    """
    database = places.database_file("To restore a backup")
    try:
        places.make_data_dir()
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _beside(database) as folder, no_server_has(database):
            found = _unpacked(file, folder)
            check_database(folder / DATABASE)
            targets: dict[str, Path] = {DATABASE: database}
            targets |= {key: places.data_dir / key for key in KEYS}
            _make_room(targets, replace=replace)
            for name in found:
                (folder / name).replace(targets[name])
    except OSError as error:
        raise BackupRefused(f"The backup {file} cannot be restored: {error}.") from error


def _unpacked(file: Path, folder: Path) -> list[str]:
    """The files of the backup that we know, written to `folder` for their owner alone."""
    try:
        with tarfile.open(file, "r:") as archive:
            there = archive.getnames()
            names: list[str] = [name for name in (DATABASE, *KEYS) if name in there]
            for name in names:
                member = archive.getmember(name)
                content = archive.extractfile(member) if member.isfile() else None
                if content is None:
                    raise BackupRefused(f"{file} is no backup of Aura: {name} in it is no file.")
                if member.size > file.stat().st_size:  # one with holes, which would fill the disk
                    raise BackupRefused(f"{file} is no backup of Aura: {name} in it is larger.")
                with open(folder / name, "xb", opener=_for_the_owner) as out:
                    shutil.copyfileobj(content, out)
                    out.flush()
                    os.fsync(out.fileno())
    except tarfile.TarError as error:
        raise BackupRefused(f"{file} is no backup of Aura: {error}.") from error
    if DATABASE not in names:
        raise BackupRefused(f"{file} is no backup of Aura: there is no {DATABASE} in it.")
    return names


def _make_room(targets: dict[str, Path], *, replace: bool) -> None:
    """Move aside what is there: the database with its journal, or it would not be whole."""
    database = targets[DATABASE]
    journals = [database.with_name(database.name + end) for end in ("-wal", "-shm")]
    there = [path for path in (*targets.values(), *journals) if path.exists()]
    if there and not replace:
        raise BackupRefused(
            f"There is {', '.join(map(str, there))}: with --replace it is moved aside, and kept "
            f"under a name that ends with {ASIDE}."
        )
    aside = {path: path.with_name(path.name + ASIDE) for path in there}
    aside |= {path: database.with_name(database.name + ASIDE + path.name[-4:]) for path in journals}
    if left := [str(path) for path in aside.values() if path.exists()]:
        raise BackupRefused(f"Of an earlier restore there is still {left[0]}: move it elsewhere.")
    for path in there:
        path.replace(aside[path])


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A folder on the same file system, from which files can be moved in one step."""
    with TemporaryDirectory(prefix=f".{file.name}", suffix=_PART, dir=file.parent) as folder:
        yield Path(folder)


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
