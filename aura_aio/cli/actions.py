"""`aura plans actions`: what steps can call.

May import click and `cli`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.screen import Column, Piece, Screen
from aura_aio.cli.text import safe_lines

if TYPE_CHECKING:
    from aura_aio.cli.client import Client


@click.command("actions")
@click.argument("plan", required=False)
@talks_to_server
async def actions(client: "Client", screen: Screen, plan: str | None) -> None:
    """List what steps can call, with what it takes (? may be left out): the built-in actions first,
    then those of the plans; or those of PLAN alone.

    With --json, all of them.
    """
    answer = await client.get("api", "actions")
    if screen.as_json:
        screen.json(answer.body)
        return
    items = answer.data["items"]
    listed = items if plan is None else [each for each in items if each.get("plan_name") == plan]
    if not listed:
        screen.notes.line(f"Plan {plan} has no actions." if plan else "There are no actions.")
        return
    columns = [
        Column("action"),
        Column("plan"),
        Column("takes", elastic=True),
        Column("what it does", elastic=True),
    ]
    screen.table(columns, map(_row, listed))


def _row(action: Mapping[str, Any]) -> list[Piece]:
    takes = " ".join(
        each["name"] + ("" if each["required"] or each["name"].startswith("*") else "?")
        for each in action["parameters"]
    )
    doc = safe_lines(action.get("doc", ""))[0]
    return [(action["name"], "bold"), action.get("plan_name", "-"), takes, doc]
