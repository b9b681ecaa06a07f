"""`aura system capabilities` and `aura system recovery`: what a server can do, and has found.

May import click and `cli`.
"""

from typing import TYPE_CHECKING

import click

from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.screen import Piece, Screen
from aura_aio.cli.text import count, duration, local_time

if TYPE_CHECKING:
    from aura_aio.cli.client import Client


@click.command("capabilities")
@talks_to_server
async def capabilities(client: "Client", screen: Screen) -> None:
    """Show what the server can do: version, store, limits in force, what is on."""
    answer = await client.get("api", "system", "capabilities")
    if screen.as_json:
        screen.json(answer.body)
        return
    told = answer.data
    fields: list[tuple[str, Piece]] = [
        (name, told[name]) for name in ("version", "store", "dispatcher")
    ]
    fields += [(_words(name), "on" if on else "off") for name, on in told["features"].items()]
    fields += [(_words(name), f"{limit:,}") for name, limit in told["limits"].items()]
    screen.fields(fields)


@click.command("recovery")
@talks_to_server
async def recovery(client: "Client", screen: Screen) -> None:
    """Show which runs the last start of the server has found under way, and what became of them."""
    answer = await client.get("api", "system", "recovery")
    if screen.as_json:
        screen.json(answer.body)
        return
    told = answer.data
    fields: list[tuple[str, Piece | list[Piece]]] = [
        ("started", local_time(told["at"])),
        ("took", duration(told["duration_sec"])),
    ]
    for name in ("resumed", "restarted", "failed", "cancelled"):
        found = told[name]
        shown = ", ".join(found["cids"][:3]) + (", …" if found["count"] > 3 else "")
        fields.append((name, f"{count(found['count'], 'run')}{': ' if shown else ''}{shown}"))
    screen.fields(fields)


def _words(name: str) -> str:
    return name.replace("_", " ")
