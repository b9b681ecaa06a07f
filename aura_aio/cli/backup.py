"""`aura backup` and `aura restore`: one file with the database and what belongs to it.

May import click, settings_table, places, model and `cli`; `aura_aio.backup` once a command runs.
"""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from aura_aio.cli.failure import Failure
from aura_aio.cli.options import given_flags, options_of
from aura_aio.cli.screen import Screen
from aura_aio.cli.serve import config_option
from aura_aio.model.errors import AuraError
from aura_aio.places import Places, places_of
from aura_aio.settings_table import load_settings


def _with_places(function: Callable[..., None]) -> Callable[..., None]:
    """Turn `function(places, screen, **options)` into what click calls."""

    @options_of("data_dir", "database")
    @config_option
    @click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
    @functools.wraps(function)
    def command(*, file: Path | None, as_json: bool, **options: Any) -> None:
        flags = given_flags({name: options.pop(name) for name in ("data_dir", "database")})
        try:
            places = places_of(load_settings(flags, os.environ, file))
            function(places, Screen(as_json=as_json), **options)
        except AuraError as error:
            raise Failure(str(error)) from error

    return command


@click.command()
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@_with_places
def backup(places: Places, screen: Screen, *, target: Path) -> None:
    """Write the database, as it is now, and the keys that belong to it to the new file FILE.

    The server may go on meanwhile. Keep FILE where only you can read it: with the keys, secret
    inputs can be read. Files that plans keep in the data folder are not in it.
    """
    from aura_aio.backup import back_up  # noqa: PLC0415 - other commands need none of it

    size = back_up(places, target.absolute())
    if screen.as_json:
        screen.json(msgspec.json.encode({"file": str(target), "size_bytes": size}))
    else:
        screen.out.line(("backed up", "green"), f"  {places.database} to {target}, {size:,} bytes")


@click.command()
@click.argument(
    "source", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--replace", is_flag=True, help="Move aside what is there, in place of refusing.")
@_with_places
def restore(places: Places, screen: Screen, *, source: Path, replace: bool) -> None:
    """Put the database and the keys of the backup FILE where the settings want them.

    No server may have the database open. The runs in it are what they were when the backup was
    made: those that were queued will run, and run again if they have run since.
    """
    from aura_aio import backup as backups  # noqa: PLC0415 - other commands need none of it

    backups.restore(places, source.absolute(), replace=replace)
    if screen.as_json:
        screen.json(msgspec.json.encode({"database": str(places.database)}))
    else:
        screen.out.line(("restored", "green"), f"  {source} to {places.database}")
