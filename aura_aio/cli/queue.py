"""`aura queue`: the runs that wait, in figures and in order.

May import click and `cli`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from aura_aio.cli.groups import DefaultGroup
from aura_aio.cli.lists import list_options, pages, show_list
from aura_aio.cli.queue_changes import changes, pause_lines
from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.screen import Column, Piece, Screen
from aura_aio.cli.text import duration
from aura_aio.cli.waiting import waits_for

if TYPE_CHECKING:
    from aura_aio.cli.client import Client

_FIRST = 10


@click.group(cls=DefaultGroup, epilog="Without a command: overview.")
def queue() -> None:
    """See the queue, change the order in it, pause and resume it."""


@queue.command("overview")
@talks_to_server
async def overview(client: "Client", screen: Screen) -> None:
    """Show the queue in figures, and the runs that start next."""
    answer = await client.get("api", "queue", "overview")
    if screen.as_json:
        screen.json(answer.body)
        return
    screen.fields(_figures(answer.data))
    for line in pause_lines(answer.data["pauses"]):
        screen.notes.line((line, "yellow"))
    items, cursor = await pages(client, "queue", "list", query={}, most=_FIRST)
    if items:
        screen.out.line()
        _show(screen, items)
    if cursor is not None:
        screen.notes.line(("There are more: aura queue list --limit N", "dim"))


@queue.command("list")
@click.option(
    "--state",
    type=click.Choice(["ready", "delayed"]),
    default="ready",
    show_default=True,
    help="Runs that could start now, or those whose time is still to come.",
)
@list_options()
@talks_to_server
async def list_queue(client: "Client", screen: Screen, **options: Any) -> None:
    """List the queued runs in the order in which they will start."""
    nothing = f"No runs are {options['state']}."
    await show_list(client, screen, ("queue", "list"), options, _show, nothing)


for _command in changes:
    queue.add_command(_command)


def _figures(figures: Mapping[str, Any]) -> list[tuple[str, Piece]]:
    lines: list[tuple[str, Piece]] = [
        ("ready", f"{figures['ready_length']:,}"),
        ("delayed", f"{figures['delayed_length']:,}"),
        ("running", f"{figures['running_length']:,}"),
    ]
    if "avg_wait_sec" in figures:
        wait = duration(figures["avg_wait_sec"]) + " on average"
        if "p95_wait_sec" in figures:
            wait += f", 95 of 100 at most {duration(figures['p95_wait_sec'])}"
        lines.append(("waited", wait))
    if "oldest_age_sec" in figures:
        lines.append(("oldest", duration(figures["oldest_age_sec"])))
    for name, key in (("by plan", "by_plan"), ("by priority", "by_priority")):
        if figures[key]:
            lines.append((name, "  ".join(f"{word}: {n:,}" for word, n in figures[key].items())))
    ended = figures["throughput"]
    lines.append(
        ("finished", f"{ended['m5']:,} in 5 min, {ended['m15']:,} in 15, {ended['m60']:,} in 60")
    )
    return lines


def _show(screen: Screen, items: Sequence[Mapping[str, Any]]) -> None:
    columns = [
        Column("#", right=True),
        Column("cid"),
        Column("prio", right=True),
        Column("task", elastic=True),
        Column("waits", elastic=True),
    ]
    rows = [
        [
            str(run.get("position", "-")),
            run["cid"],
            str(run["priority"]),
            f"{run['plan_name']}/{run['task_name']}",
            waits_for(run["waiting"]),
        ]
        for run in items
    ]
    screen.table(columns, rows)
