"""`aura system`: whether the server starts runs, its workers, its plans.

May import click and `cli`.
"""

from typing import TYPE_CHECKING, Any

import click

from aura_aio.cli.about import capabilities, recovery
from aura_aio.cli.groups import DefaultGroup
from aura_aio.cli.params import Number
from aura_aio.cli.queue_changes import tell_pauses
from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.screen import Column, Piece, Screen, status
from aura_aio.cli.text import count, duration, local_time

if TYPE_CHECKING:
    from aura_aio.cli.client import Client


@click.group(cls=DefaultGroup, epilog="Without a command: status.")
def system() -> None:
    """See how the server is; start, stop and reload it."""


@system.command("status")
@talks_to_server
async def show_status(client: "Client", screen: Screen) -> None:
    """Show whether runs are started, the workers, and how many runs there are."""
    answer = await client.get("api", "system", "status")
    if screen.as_json:
        screen.json(answer.body)
        return
    now: dict[str, Any] = answer.data
    screen.fields(_figures(now))
    await tell_pauses(client, screen)
    if now["workers"]:
        screen.out.line()
        columns = [
            Column("worker"),
            Column("state"),
            Column("busy", right=True),
            Column("pid", right=True),
        ]
        screen.table(
            columns,
            [
                [
                    worker["name"],
                    status(worker["state"]),
                    f"{worker['busy']}/{worker['slots']}",
                    str(worker.get("pid", "-")),
                ]
                for worker in sorted(now["workers"], key=_by_number)
            ],
        )


@system.command("start")
@talks_to_server
async def start(client: "Client", screen: Screen) -> None:
    """Start queued runs from now on."""
    answer = await client.post("api", "system", "start")
    screen.answer(answer.body, answer.data["message"])
    if not screen.as_json:
        await tell_pauses(client, screen)


@system.command("stop")
@click.option(
    "--mode",
    type=click.Choice(["drain", "cancel"]),
    default="drain",
    show_default=True,
    help="Let the runs that are active finish, or cancel them.",
)
@click.option(
    "--timeout",
    "timeout_sec",
    type=Number(0, 86_400),
    metavar="SEC",
    help="After this time, cancel (or kill) what still runs.",
)
@talks_to_server
async def stop(client: "Client", screen: Screen, mode: str, timeout_sec: float | None) -> None:
    """Start no more queued runs. The server goes on: runs are accepted, and wait."""
    body: dict[str, Any] = {"mode": mode}
    if timeout_sec is not None:
        body["timeout_sec"] = timeout_sec
    answer = await client.post("api", "system", "stop", body=body)
    screen.answer(answer.body, answer.data["message"])


@system.command("reload")
@click.option("--force", is_flag=True, help="Also while runs are active.")
@talks_to_server
async def reload(client: "Client", screen: Screen, *, force: bool) -> None:
    """Read all plans from disk again."""
    body = {"force": True} if force else None
    answer = await client.post("api", "system", "reload", body=body)
    loaded = answer.data
    told = f"{count(loaded['plan_count'], 'plan')}, {count(loaded['task_count'], 'task')} loaded."
    if loaded["task_error_count"]:
        told += f" {count(loaded['task_error_count'], 'load error')}: see aura plans"
    screen.answer(answer.body, told)


@system.command("hot-reload")
@click.argument("state", type=click.Choice(["on", "off"]))
@talks_to_server
async def hot_reload(client: "Client", screen: Screen, state: str) -> None:
    """Load edited plans at once, or only when told to, until the server ends."""
    word = "enable" if state == "on" else "disable"
    answer = await client.post("api", "system", "hot_reload", word)
    screen.answer(answer.body, answer.data["message"])


system.add_command(capabilities)
system.add_command(recovery)


def _figures(now: dict[str, Any]) -> list[tuple[str, Piece]]:
    runs, waiting, stream = now["runs"], now["queue"], now["log_stream"]
    counts = [f"{number:,} {word.replace('_', ' ')}" for word, number in runs.items() if number]
    log = f"{count(stream['last_seq'], 'entry', 'entries')}, {count(stream['monitors'], 'monitor')}"
    lines: list[tuple[str, Piece]] = [
        ("state", status(now["state"])),
        ("version", now["version"]),
        ("up", f"{duration(now['uptime_sec'])}, since {local_time(now['started_at'])}"),
        ("queue", f"{waiting['ready_length']:,} ready, {waiting['delayed_length']:,} delayed"),
        ("runs", ", ".join(counts) or "none"),
        ("log", log),
    ]
    if now["hot_reload"]:
        lines.append(("plans", "edits are loaded at once"))
    if stream["queued_lines"] or stream["dropped_entries"]:
        told = f"{stream['queued_lines']:,} lines to store, {stream['dropped_entries']:,} not sent"
        lines.append(("", (told, "yellow")))
    return lines


def _by_number(worker: dict[str, Any]) -> tuple[int, str]:
    name: str = worker["name"]
    return len(name), name  # worker-2 before worker-10
