"""Where everything is: the settings' paths made absolute, which mean the same to every process.

May import settings and model only.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from aura_aio.model.errors import SettingsError
from aura_aio.settings import Settings


class Places(NamedTuple):
    """The folder for data, the database, and the folders of plans."""

    data_dir: Path
    database: Path
    plans: tuple[Path, ...]

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
        database=_database(settings.store.database, data_dir),
        plans=tuple(Path(root).absolute() for root in settings.plans.plans),
    )


def _database(database: str, data_dir: Path) -> Path:
    if not database:
        return data_dir / "aura.db"
    scheme, separator, path = database.partition("://")
    if not separator:
        return Path(database).absolute()
    if scheme != "sqlite":
        raise SettingsError(
            f"--database {database}: this version stores in SQLite only: give a file name."
        )
    return Path(path.removeprefix("/") if sys.platform == "win32" else path).absolute()
