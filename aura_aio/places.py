"""Where everything is: the settings' paths made absolute, which mean the same to every process.

May import settings and model only.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from aura_aio.model.database_url import SCHEMES, DatabaseUrl
from aura_aio.model.errors import SettingsError
from aura_aio.settings import Settings


class Places(NamedTuple):
    """The folder for data, the database, and the folders of plans."""

    data_dir: Path
    database: Path | DatabaseUrl
    """A file, or where it is on a PostgreSQL server."""
    plans: tuple[Path, ...]

    @property
    def is_shared(self) -> bool:
        """Whether several servers may have the database."""
        return not isinstance(self.database, Path)

    @property
    def disk(self) -> Path:
        """A folder on the disk that must have room: the database's, if it is a file."""
        return self.database.parent if isinstance(self.database, Path) else self.data_dir

    def database_file(self, for_what: str) -> Path:
        """The file of the database.

        Raises:
            SettingsError: it is none, and there is no other way to do `for_what`.
        """
        if isinstance(self.database, Path):
            return self.database
        raise SettingsError(
            f"{for_what} is for SQLite only, and the database is {self.database}: use what "
            "PostgreSQL has for it (pg_dump, pg_restore), and copy the keys in the data folder."
        )

    def make_data_dir(self) -> None:
        """Make the folder for data if it is missing: for its owner alone, since what runs were
        given and have answered is in it.
        """
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)


def places_of(settings: Settings) -> Places:
    """The places that `settings` name; whether anything is there is not looked at.

    Raises:
        SettingsError: the database is of a kind that this version does not know.
    """
    data_dir = Path(settings.store.data_dir).absolute()
    return Places(
        data_dir=data_dir,
        database=database_at(settings.store.database or str(data_dir / "aura.db")),
        plans=tuple(Path(root).absolute() for root in settings.plans.plans),
    )


def database_at(name: str) -> Path | DatabaseUrl:
    """The database of this name: a file (`aura.db`, `sqlite:aura.db`, `sqlite:///srv/aura.db`), or
    an address on a PostgreSQL server.

    Raises:
        SettingsError: it is of a kind that this version does not know.
    """
    scheme, separator, path = name.partition("://")
    if not separator:
        return Path(name.removeprefix("sqlite:")).absolute()
    if scheme in SCHEMES:
        return DatabaseUrl(name)
    if scheme != "sqlite":
        raise SettingsError(
            f"--database {scheme}://…: this version stores in SQLite (give a file name) or in "
            "PostgreSQL (postgresql://…)."
        )
    return Path(path.removeprefix("/") if sys.platform == "win32" else path).absolute()
