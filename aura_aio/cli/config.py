"""`aura config`: the settings in force, and where each comes from.

May import click, msgspec, settings and its table and `cli`.
"""

import os
from pathlib import Path
from typing import Any

import click
import msgspec

from aura_aio.cli.failure import Failure
from aura_aio.cli.options import (
    SettingsCommand,
    given_flags,
    setting_options,
    setting_values,
    shown,
)
from aura_aio.cli.screen import Column, Piece, Screen
from aura_aio.cli.serve import config_option
from aura_aio.model.database_url import shown as address_shown
from aura_aio.model.errors import SettingsError
from aura_aio.settings_table import load_settings, settings_sources, settings_table

_DEFAULT = "default"
_HIDDEN = "(hidden)"


@click.command(cls=SettingsCommand)
@setting_options
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object, by setting.")
def config(*, file: Path | None, as_json: bool, **options: Any) -> None:
    """Show the settings in force, and where each comes from.

    Takes the options of `aura serve`, to see what they would change.
    """
    flags = given_flags(options)
    try:
        values = setting_values(load_settings(flags, os.environ, file))
        sources = settings_sources(flags, os.environ, file)
    except SettingsError as error:
        raise Failure(str(error)) from error
    secret = (each.name for each in settings_table() if each.is_secret)
    values |= {name: _HIDDEN for name in secret if values[name]}
    addresses = (each.name for each in settings_table() if each.is_address)
    values |= {name: address_shown(values[name]) for name in addresses}
    screen = Screen(as_json=as_json)
    if as_json:
        document = {
            name: {"value": value, "source": sources.get(name, _DEFAULT)}
            for name, value in values.items()
        }
        screen.json(msgspec.json.encode(document))
        return
    rows: list[list[Piece]] = []
    for setting in settings_table():
        source = sources.get(setting.name, _DEFAULT)
        rows.append(
            [
                f"{setting.branch}.{setting.name}",
                shown(values[setting.name]) or '""',
                (source, "dim" if source == _DEFAULT else "green"),
            ]
        )
    screen.table([Column("setting"), Column("value", elastic=True), Column("from")], rows)
