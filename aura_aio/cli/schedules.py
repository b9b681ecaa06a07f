"""`aura schedules`: what is run by itself, and when next.

May import click and `cli`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from aura_aio.cli.groups import DefaultGroup
from aura_aio.cli.idempotency import key_headers, tell_replayed
from aura_aio.cli.lists import list_options, show_list
from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.schedule_changes import changes
from aura_aio.cli.screen import Column, Piece, Screen, brief_value
from aura_aio.cli.text import duration, local_time, period

if TYPE_CHECKING:
    from aura_aio.cli.client import Client

_STYLES = {"queued": "green", "skipped": "yellow", "missed": "yellow", "failed": "red"}


@click.group(cls=DefaultGroup, epilog="Without a command: list.")
def schedules() -> None:
    """See what is run by itself, and change that."""


@schedules.command("list")
@click.option("--plan", "plan_name", metavar="PLAN", help="Only schedules of this plan's tasks.")
@list_options(50)
@talks_to_server
async def list_schedules(client: "Client", screen: Screen, **options: Any) -> None:
    """List the schedules, by id."""
    await show_list(client, screen, ("schedules",), options, _show, "No schedules.")


@schedules.command("show")
@click.argument("id")
@talks_to_server
async def show_schedule(client: "Client", screen: Screen, **named: Any) -> None:
    """Show everything about the schedule ID."""
    answer = await client.get("api", "schedules", named["id"])
    if screen.as_json:
        screen.json(answer.body)
    else:
        screen.fields(_fields(answer.data))


@schedules.command("enable")
@click.argument("id")
@talks_to_server
async def enable(client: "Client", screen: Screen, **named: Any) -> None:
    """Run the schedule ID at its due times, from now on."""
    await _enable(client, screen, named["id"], enabled=True)


@schedules.command("disable")
@click.argument("id")
@talks_to_server
async def disable(client: "Client", screen: Screen, **named: Any) -> None:
    """Run the schedule ID no more; a run that it has started goes on."""
    await _enable(client, screen, named["id"], enabled=False)


@schedules.command("run")
@click.argument("id")
@click.option("--idempotency-key", metavar="KEY", help="The same key again starts nothing new.")
@talks_to_server
async def run_now(client: "Client", screen: Screen, **named: Any) -> None:
    """Run the schedule ID now, beside its due times; print the cid of the run."""
    headers = key_headers(named["idempotency_key"])
    answer = await client.post("api", "schedules", named["id"], "run", headers=headers)
    tell_replayed(screen, answer)
    screen.answer(answer.body, answer.data["cid"])


for _command in changes:
    schedules.add_command(_command)


def _show(screen: Screen, items: Sequence[Mapping[str, Any]]) -> None:
    columns = [
        Column("id", elastic=True),
        Column("task", elastic=True),
        Column("when", elastic=True),
        Column("next"),
        Column("last"),
    ]
    screen.table(columns, [_row(schedule) for schedule in items])


async def _enable(client: "Client", screen: Screen, id_: str, *, enabled: bool) -> None:
    answer = await client.send("PATCH", "api", "schedules", id_, body={"enabled": enabled})
    told = "is disabled."
    if enabled:
        told = f"is enabled, and run next at {_next(answer.data)[0]}."
    screen.answer(answer.body, f"{id_} {told}")


def _row(schedule: Mapping[str, Any]) -> list[Piece]:
    return [
        schedule["id"],
        f"{schedule['plan_name']}/{schedule['task_name']}",
        _when(schedule),
        _next(schedule),
        _last(schedule),
    ]


def _when(schedule: Mapping[str, Any]) -> str:
    if "cron" not in schedule:
        return f"every {period(schedule['every_sec'])}"
    zone = schedule["timezone"]
    return schedule["cron"] if zone == "UTC" else f"{schedule['cron']} {zone}"


def _next(schedule: Mapping[str, Any]) -> tuple[str, str]:
    if not schedule["enabled"]:
        return "disabled", "dim"
    return (local_time(schedule["next_run_at"]) if "next_run_at" in schedule else "never"), ""


def _last(schedule: Mapping[str, Any]) -> tuple[str, str]:
    word = schedule.get("last_outcome", "-")
    return word, _STYLES.get(word, "")


def _fields(schedule: Mapping[str, Any]) -> list[tuple[str, Piece]]:
    of_plan = schedule["source"] == "plan"
    fields: list[tuple[str, Piece]] = [
        ("id", schedule["id"]),
        ("from", "schedule.yaml of the plan" if of_plan else "a client"),
        ("task", (f"{schedule['plan_name']}/{schedule['task_name']}", "bold")),
        ("when", _when(schedule)),
        ("next", _next(schedule)),
        ("inputs", brief_value(schedule["inputs"])),
        ("overlap", schedule["overlap"]),
        ("catch up", schedule["catch_up"]),
    ]
    if schedule["jitter_sec"]:
        fields.append(("jitter", f"up to {duration(schedule['jitter_sec'])}"))
    if "last_run_at" in schedule:
        fields.append(
            ("last run", f"{local_time(schedule['last_run_at'])}  {schedule['last_cid']}")
        )
    if "last_outcome" in schedule:
        fields.append(("last due", _last(schedule)))
    if "last_message" in schedule:
        fields.append(("", schedule["last_message"]))
    return fields
