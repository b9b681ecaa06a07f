"""`aura schedules …`: what makes a schedule, changes it, or takes it away.

May import click, msgspec and `cli`.
"""

from typing import TYPE_CHECKING, Any, BinaryIO

import click
import msgspec

from aura_aio.cli.given_inputs import given_inputs, input_options
from aura_aio.cli.options import Command
from aura_aio.cli.params import SPAN
from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.screen import Screen
from aura_aio.cli.text import local_time

if TYPE_CHECKING:
    from aura_aio.cli.client import Answer, Client


class _Asked(msgspec.Struct, frozen=True):
    """What a schedule is to be; None and no pairs: nothing is said."""

    cron: str | None
    every: float | None
    timezone: str | None
    overlap: str | None
    catch_up: str | None
    jitter: float | None
    pairs: tuple[str, ...]
    document: BinaryIO | None


def _described(command: Command) -> Command:
    """Give `command` the options of `_Asked`."""
    for option in (
        click.option("--jitter", type=SPAN, help="Start up to this much later, so as to spread."),
        click.option(
            "--catch-up",
            type=click.Choice(["none", "latest", "all"]),
            help="Which due times to make up for after the server was down.",
        ),
        click.option(
            "--overlap",
            type=click.Choice(["skip", "queue"]),
            help="What to do at a due time while the run before has not ended.",
        ),
        click.option("--timezone", metavar="ZONE", help="The zone of --cron, as Europe/Berlin."),
        click.option("--every", type=SPAN, help="Due at the multiples of this, since the epoch."),
        click.option("--cron", metavar="EXPRESSION", help="Due at these times, as '30 4 * * 1-5'."),
    ):
        command = option(command)
    return command


@click.command("create", epilog="For -i see: aura run --help")
@click.argument("plan")
@click.argument("task")
@click.option("--id", "id_", metavar="ID", help="Its id; without one the server gives it one.")
@_described
@input_options
@click.option("--disabled", is_flag=True, help="Leave it alone until aura schedules enable.")
@talks_to_server
async def create(client: "Client", screen: Screen, **options: Any) -> None:
    """Run TASK of PLAN by itself from now on; print the id of the schedule.

    Either --cron or --every says when.
    """
    plan, task = options.pop("plan"), options.pop("task")
    id_, disabled = options.pop("id_"), options.pop("disabled")
    asked = _Asked(**options)
    if (asked.cron is None) == (asked.every is None):
        raise click.UsageError("Say when, either with --cron or with --every.")
    body = {"plan_name": plan, "task_name": task, "enabled": not disabled, **_of(asked)}
    if id_ is not None:
        body["id"] = id_
    if inputs := await given_inputs(client, plan, task, asked.pairs, asked.document):
        body["inputs"] = inputs
    answer = await client.post("api", "schedules", body=body)
    _tell_next(screen, answer)
    screen.answer(answer.body, answer.data["id"])


@click.command("update", epilog="For -i see: aura run --help")
@click.argument("id")
@click.option("--plan", metavar="PLAN", help="Of another plan.")
@click.option("--task", metavar="TASK", help="Another task.")
@_described
@input_options
@talks_to_server
async def update(client: "Client", screen: Screen, **options: Any) -> None:
    """Change the schedule ID, which a client has made; what is not named stays.

    Inputs take the place of all that it has.
    """
    id_, plan, task = options.pop("id"), options.pop("plan"), options.pop("task")
    asked = _Asked(**options)
    body = {"plan_name": plan, "task_name": task, **_of(asked)}
    body = {name: value for name, value in body.items() if value is not None}
    if asked.pairs or asked.document:
        found = (await client.get("api", "schedules", id_)).data | body
        named = (found["plan_name"], found["task_name"])
        body["inputs"] = await given_inputs(client, *named, asked.pairs, asked.document)
    if not body:
        raise click.UsageError("Say what is to be changed.")
    answer = await client.send("PATCH", "api", "schedules", id_, body=body)
    _tell_next(screen, answer)
    screen.answer(answer.body, f"{id_} is changed.")


@click.command("delete")
@click.argument("id")
@talks_to_server
async def delete(client: "Client", screen: Screen, **named: Any) -> None:
    """Take away the schedule ID, which a client has made; a run that it has started goes on."""
    answer = await client.send("DELETE", "api", "schedules", named["id"])
    screen.answer(answer.body, answer.data["message"])


def _of(asked: _Asked) -> dict[str, Any]:
    """The properties, but for the inputs, as the contract has them."""
    found = {
        "cron": asked.cron,
        "every_sec": asked.every,
        "timezone": asked.timezone,
        "overlap": asked.overlap,
        "catch_up": asked.catch_up,
        "jitter_sec": asked.jitter,
    }
    return {name: value for name, value in found.items() if value is not None}


def _tell_next(screen: Screen, answer: "Answer") -> None:
    if "next_run_at" in answer.data:
        screen.notes.line((f"It is run next at {local_time(answer.data['next_run_at'])}.", "dim"))


changes = (create, update, delete)
