"""`aura audit`: who has changed what.

May import click and `cli`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from aura_aio.cli.lists import list_options, show_list
from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.screen import Column, Piece, Screen
from aura_aio.cli.text import local_time

if TYPE_CHECKING:
    from aura_aio.cli.client import Client

_STYLES = {"done": "", "refused": "yellow", "failed": "red"}
_ABOUT = ("cid", "schedule_id", "token_id", "plan_name")


@click.command()
@click.option("--run", "cid", metavar="CID", help="Only what was done to this run.")
@click.option("--by", metavar="NAME", help="Only by the token of this name, or local.")
@click.option("--operation", metavar="ID", help="Only this operation, as in cancelTask.")
@click.option("--plan", "plan_name", metavar="PLAN", help="Only what named this plan.")
@list_options(20)
@talks_to_server
async def audit(client: "Client", screen: Screen, **options: Any) -> None:
    """List who has changed what, the newest first; with a token, it must be an admin's."""
    await show_list(client, screen, ("audit",), options, _show, "Nobody has changed anything.")


def _show(screen: Screen, items: Sequence[Mapping[str, Any]]) -> None:
    columns = [
        Column("when"),
        Column("who", elastic=True),
        Column("operation"),
        Column("about", elastic=True),
        Column("outcome"),
    ]
    screen.table(columns, [_row(event) for event in items])


def _row(event: Mapping[str, Any]) -> list[Piece]:
    who = event["by"]
    if "remote" in event:
        who += f" ({event['remote']})"
    outcome = " ".join(event[name] for name in ("outcome", "reason") if name in event)
    return [
        local_time(event["at"]),
        who,
        event["operation"],
        _about(event),
        (outcome, _STYLES.get(event["outcome"], "")),
    ]


def _about(event: Mapping[str, Any]) -> str:
    if "cid" not in event and event["run_count"]:
        return f"{event['run_count']} runs"
    return next((event[name] for name in _ABOUT if name in event), "")
