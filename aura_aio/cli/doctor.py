"""`aura doctor`: what is wrong, and how to mend it.

May import click, msgspec, settings, model and `cli`; `aura_aio.doctor` once the command runs.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aura_aio.cli.options import (
    SettingsCommand,
    given_flags,
    setting_options,
    setting_values,
)
from aura_aio.cli.screen import Column, Screen, status
from aura_aio.cli.serve import config_option
from aura_aio.model.clock import SystemClock
from aura_aio.model.database_url import holds_secret
from aura_aio.model.errors import SettingsError
from aura_aio.settings_table import (
    DEFAULT_FILE,
    load_settings,
    settings_sources,
    settings_table,
)

if TYPE_CHECKING:
    from aura_aio.doctor.findings import Finding


@click.command(cls=SettingsCommand)
@setting_options
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def doctor(*, file: Path | None, as_json: bool, **options: Any) -> None:
    """Say what is wrong with the settings, the data and the machine, and how to mend it.

    Takes the options of `aura serve`; the server may run or not. Changes nothing. Ends with 1 if
    something is wrong. Reads the whole database, which takes some seconds for each GB.
    """
    from aura_aio.doctor.examine import is_well  # noqa: PLC0415 - other commands need none of it

    found = _findings(given_flags(options), file)
    screen = Screen(as_json=as_json)
    if as_json:
        screen.json(msgspec.json.encode({"ok": is_well(found), "findings": found}))
    else:
        columns = [Column("check"), Column("verdict"), Column("detail", elastic=True, wrap=True)]
        rows = [[each.check, status(each.verdict), each.detail] for each in found]
        screen.table(columns, rows)
        for each in found:
            if each.mend:
                screen.out.line((f"{each.check}: ", "bold"), each.mend, hang=4)
    if not is_well(found):
        raise click.exceptions.Exit(1)


def _findings(flags: dict[str, Any], file: Path | None) -> "list[Finding]":
    from aura_aio.doctor import examine, machine  # noqa: PLC0415 - as above

    try:
        settings = load_settings(flags, os.environ, file)
        sources = settings_sources(flags, os.environ, file)
    except SettingsError as error:
        return [examine.of_settings(error), *machine.findings()]
    values = setting_values(settings)
    secret = [
        sources.get(each.name, "")
        for each in settings_table()
        if each.is_secret or (each.is_address and holds_secret(values[each.name]))
    ]
    in_file = any(source.startswith("[") for source in secret)
    return examine.examine(
        settings, (file or Path(DEFAULT_FILE)) if in_file else None, SystemClock()
    )
