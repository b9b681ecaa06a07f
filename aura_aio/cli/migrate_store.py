"""`aura migrate-store`: all that is in one database, moved to another.

May import click, msgspec, settings_table, places, model and `cli`; `aura_aio.migrate_store` once
the command runs.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aura_aio.cli.failure import Failure
from aura_aio.cli.options import given_flags, options_of
from aura_aio.cli.screen import Column, Screen
from aura_aio.cli.serve import config_option
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import AuraError
from aura_aio.places import database_at, places_of
from aura_aio.settings_table import load_settings

if TYPE_CHECKING:
    from aura_aio.migrate_store import Report

_SHORT = 16


@click.command("migrate-store")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@options_of("data_dir")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def migrate_store(
    *, source: str, target: str, file: Path | None, as_json: bool, **options: Any
) -> None:
    """Move all that is in the database FROM to the empty database TO.

    Each of them is a file of SQLite (sqlite:.aura/aura.db) or on a PostgreSQL server
    (postgresql://user@host/name). No server may have either of them. All of it arrives, and is
    compared, in one transaction, or nothing does; FROM stays as it is. What belongs to it in the
    data folder is named at the end.
    """
    from aura_aio import migrate_store as moving  # noqa: PLC0415 - other commands need none of it

    try:
        data_dir = places_of(load_settings(given_flags(options), os.environ, file)).data_dir
        ends = database_at(source), database_at(target)
        report = moving.migrate_store(*ends, data_dir)
    except AuraError as error:
        raise Failure(str(error)) from error
    screen = Screen(as_json=as_json)
    if as_json:
        screen.json(_json(report, *ends))
    else:
        _tell(screen, report, *ends)


def _json(report: "Report", *ends: Path | DatabaseUrl) -> bytes:
    source, target = map(str, ends)
    return msgspec.json.encode(
        {
            "from": source,
            "to": target,
            "tables": [each._asdict() for each in report.transferred.tables],
            "changed_rows": report.transferred.changed,
            "beside": [str(path) for path in report.beside],
            "lost_key": report.lost_key and str(report.lost_key),
        }
    )


def _tell(screen: Screen, report: "Report", *ends: Path | DatabaseUrl) -> None:
    source, target = ends
    tables, changed = report.transferred
    columns = [Column("table"), Column("rows", right=True), Column("digest on both sides")]
    rows = [[each.table, f"{each.rows:,}", each.digest[:_SHORT]] for each in tables]
    screen.table(columns, rows)
    total = sum(each.rows for each in tables)
    screen.out.line(("moved", "green"), f"  {source} to {target}: {total:,} rows, the same there")
    if changed:
        note = f"  {changed:,} rows had the character 0 in a text, which is ␀ there"
        screen.out.line(("changed", "yellow"), note, hang=4)
    if report.lost_key is not None:
        note = (
            f"  {report.lost_key}, without which the secret inputs in it cannot be read: "
            "name the data folder with --data-dir, or bring the key back from a backup"
        )
        screen.out.line(("missing", "red"), note, hang=4)
    if report.beside:
        beside = ", ".join(map(str, report.beside))
        note = f"  {beside}: take it along if the server will have another data folder"
        screen.out.line(("beside it", "bold"), note, hang=4)
    note = (
        "  start the server with --database of the new one, and none on the old one again: what "
        "waits in it would run twice"
    )
    screen.out.line(("next", "bold"), note, hang=4)
