"""`aura queue …`: what changes the order of the queue, or stops and clears it.

May import click and `cli`.
"""

from typing import TYPE_CHECKING, Any

import click

from aura_aio.cli.params import Whole
from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.screen import Screen
from aura_aio.cli.text import count

if TYPE_CHECKING:
    from aura_aio.cli.client import Client

_plan_option = click.option("--plan", "plan_name", help="Only the runs of this plan.")


# Negative priorities begin like options: what is unknown is taken for an argument.
@click.command("priority", context_settings={"ignore_unknown_options": True})
@click.argument("cid")
@click.argument("priority", type=Whole(-100, 100))
@talks_to_server
async def priority(client: "Client", screen: Screen, cid: str, priority: int) -> None:
    """Change the priority of the queued run CID; higher goes first."""
    path = ("api", "tasks", cid, "priority")
    answer = await client.send("PATCH", *path, body={"priority": priority})
    screen.answer(answer.body, f"{cid} has the priority {answer.data['priority']} now.")


@click.command("front")
@click.argument("cid")
@talks_to_server
async def front(client: "Client", screen: Screen, cid: str) -> None:
    """Let the queued run CID go before all others of its priority."""
    answer = await client.post("api", "queue", cid, "move-to-front")
    screen.answer(answer.body, f"{cid} is the first of its priority now.")


@click.command("move")
@click.argument("cid")
@click.argument("position", type=Whole(1))
@talks_to_server
async def move(client: "Client", screen: Screen, cid: str, position: int) -> None:
    """Make the queued run CID number POSITION of its priority, or the last."""
    path = ("api", "queue", cid, "move-to-position")
    answer = await client.post(*path, body={"position": position})
    screen.answer(answer.body, f"{cid} is moved.")


@click.command("order")
@click.argument("cids", metavar="CID...", nargs=-1, required=True)
@talks_to_server
async def order(client: "Client", screen: Screen, cids: tuple[str, ...]) -> None:
    """Let these queued runs go first within their priorities, in this order."""
    answer = await client.post("api", "queue", "reorder", body={"cid_order": list(cids)})
    moved = count(answer.data["moved_count"], "run")
    screen.answer(answer.body, f"{moved} put in order.")


@click.command("remove")
@click.argument("cid")
@talks_to_server
async def remove(client: "Client", screen: Screen, cid: str) -> None:
    """Cancel the run CID if it is still queued; aura cancel takes any."""
    answer = await client.send("DELETE", "api", "queue", cid)
    screen.answer(answer.body, answer.data["message"])


@click.command("clear")
@_plan_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@talks_to_server
async def clear(client: "Client", screen: Screen, plan_name: str | None, *, yes: bool) -> None:
    """Cancel all queued runs, delayed ones too; those under way go on."""
    if not yes:
        whose = f" of the plan {plan_name!r}" if plan_name else ""
        click.confirm(f"Cancel all queued runs{whose}?", abort=True, err=True)
    query = {"plan_name": plan_name}
    answer = await client.send("DELETE", "api", "queue", "clear", query=query)
    screen.answer(answer.body, f"{count(answer.data['removed_count'], 'run')} cancelled.")


@click.command("pause")
@_plan_option
@talks_to_server
async def pause(client: "Client", screen: Screen, plan_name: str | None) -> None:
    """Start no queued run until aura queue resume, over restarts of the server too.

    Runs under way go on; new ones are accepted, and wait.
    """
    await _pauses(client, screen, "pause", plan_name)


@click.command("resume")
@_plan_option
@talks_to_server
async def resume(client: "Client", screen: Screen, plan_name: str | None) -> None:
    """End the pause of the queue, or that of one plan.

    Each is ended by itself: plans that are paused stay so when the queue is resumed.
    """
    await _pauses(client, screen, "resume", plan_name)


async def tell_pauses(client: "Client", screen: Screen) -> None:
    """Say on stderr what of the queue is paused, and how to resume it."""
    pauses: dict[str, Any] = (await client.get("api", "queue", "overview")).data["pauses"]
    for line in pause_lines(pauses):
        screen.notes.line((line, "yellow"))


def pause_lines(pauses: dict[str, Any]) -> list[str]:
    """What a `QueuePauses` of the contract says, and what ends each pause; empty if none is."""
    lines = (
        ["The queue is paused. Resume it with: aura queue resume"] if pauses["is_paused"] else []
    )
    for plan in pauses["plans"]:
        name = plan["plan_name"]
        lines.append(f"Plan {name} is paused. Resume it with: aura queue resume --plan {name}")
    return lines


async def _pauses(client: "Client", screen: Screen, word: str, plan_name: str | None) -> None:
    body = None if plan_name is None else {"plan_name": plan_name}
    answer = await client.post("api", "queue", word, body=body)
    if screen.as_json:
        screen.json(answer.body)
        return
    for line in pause_lines(answer.data) or ["Nothing is paused now."]:
        screen.out.line(line)


changes = (priority, front, move, order, remove, clear, pause, resume)
