"""`aura runs` and `aura cancel`: runs, one by one and in lists.

May import click and `cli`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from aura_aio.cli.groups import DefaultGroup
from aura_aio.cli.lists import list_options, show_list
from aura_aio.cli.params import LABEL, MOMENT, Number
from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.screen import Column, Piece, Screen, brief_value, status, value_lines
from aura_aio.cli.text import between, brief_time, duration, local_time, safe_lines
from aura_aio.cli.timeline import timeline
from aura_aio.cli.waiting import waits_for, waits_for_runs
from aura_aio.model.clock import SystemClock, rfc3339
from aura_aio.model.states import RunState

if TYPE_CHECKING:
    from aura_aio.cli.client import Client

_NOTE_FROM: Final = 100


@click.group(cls=DefaultGroup, epilog="Without a command: list. Its options: aura runs list --help")
def runs() -> None:
    """List runs, and look at one."""


@runs.command("list")
@click.option("--plan", "plan_name", metavar="PLAN", help="Only runs of this plan.")
@click.option("--task", "task_name", metavar="TASK", help="Only runs of the tasks of this name.")
@click.option(
    "--status",
    multiple=True,
    type=click.Choice([state.value for state in RunState]),
    metavar="STATUS",
    help=f"Only runs with this status, or any of several: {', '.join(RunState)}.",
)
@click.option(
    "--label", multiple=True, type=LABEL, help="Only runs with this label, or all of several."
)
@click.option(
    "--created-after",
    type=MOMENT,
    help="Accepted at this time or later: 2026-03-02T12:15, or 2h (ago).",
)
@click.option("--created-before", type=MOMENT, help="Accepted before this time.")
@click.option("--finished-after", type=MOMENT, help="Finished at this time or later.")
@click.option("--finished-before", type=MOMENT, help="Finished before this time.")
@click.option("--parent", "parent_cid", metavar="CID", help="Only child runs of this run.")
@click.option("--retry-of", metavar="CID", help="Only runs that do this run over.")
@click.option("-q", "--search", "q", metavar="TEXT", help="In cid, plan, task and label values.")
@click.option(
    "--include",
    type=click.Choice(["inputs", "result"]),
    multiple=True,
    help="What each item should hold beside the usual; shows with --json.",
)
@list_options()
@talks_to_server
async def list_runs(client: "Client", screen: Screen, **options: Any) -> None:
    """List runs, the newest first."""
    query = {**options, "include": ",".join(options["include"]) or None}
    await show_list(client, screen, ("runs",), query, _show, "No runs.")


@runs.command("show")
@click.argument("cid")
@click.option("--wait-sec", type=Number(0, 55), metavar="SEC", help="Wait so long for its end.")
@talks_to_server
async def show_run(client: "Client", screen: Screen, cid: str, wait_sec: float | None) -> None:
    """Show everything about the run CID."""
    query = {"wait_sec": None if wait_sec is None else str(wait_sec)}
    answer = await client.get("api", "runs", cid, query=query)
    if screen.as_json:
        screen.json(answer.body)
    else:
        screen.fields(_fields(answer.data))


runs.add_command(timeline)


@click.command()
@click.argument("cid")
@click.option("--kill", is_flag=True, help="Do not let its actions end by themselves.")
@click.option(
    "--grace",
    "grace_sec",
    type=Number(0, 3600),
    metavar="SEC",
    help="How long its actions may take to end.  [default: 10]",
)
@click.option("--reason", help="Why; kept with the run.")
@talks_to_server
async def cancel(
    client: "Client",
    screen: Screen,
    cid: str,
    *,
    kill: bool,
    grace_sec: float | None,
    reason: str | None,
) -> None:
    """Cancel the run CID.

    One that is queued ends at once, another one as soon as its actions have ended.
    """
    asked = {"mode": "kill" if kill else None, "grace_sec": grace_sec, "reason": reason}
    body = {name: value for name, value in asked.items() if value is not None}
    answer = await client.post("api", "tasks", cid, "cancel", body=body or None)
    screen.answer(answer.body, status(answer.data["status"]), f"  {answer.data['message']}")


def _show(screen: Screen, items: Sequence[Mapping[str, Any]]) -> None:
    """Print a table of `RunSummary`s."""
    now = SystemClock().now()
    is_narrow = screen.is_terminal and screen.width < _NOTE_FROM
    rows = []
    for run in items:
        row: list[Piece] = [
            run["cid"],
            status(run["status"]),
            f"{run['plan_name']}/{run['task_name']}",
            brief_time(run["created_at"], now, narrow=is_narrow)
            if screen.is_terminal
            else local_time(run["created_at"]),
            _took(run, now),
        ]
        rows.append(row if is_narrow else [*row, _note(run)])
    columns = [
        Column("cid"),
        Column("status"),
        Column("task", elastic=True),
        Column("created"),
        Column("took", right=True),
    ]
    screen.table(columns if is_narrow else [*columns, Column("note", elastic=True)], rows)


def _took(run: Mapping[str, Any], now: float) -> str:
    if "started_at" not in run:
        return "-"
    took = duration(between(run["started_at"], run.get("finished_at", rfc3339(now))))
    return took.replace(" ", "")


def _note(run: Mapping[str, Any]) -> Piece:
    if "error" in run:
        return f"{run['error']['type']}: {safe_lines(run['error']['message'])[0]}", "red"
    if run["status"] == "queued" and "run_at" in run:
        return f"not before {local_time(run['run_at'])}"
    return " ".join(f"{key}={value}" for key, value in run["labels"].items()), "dim"


def _fields(run: Mapping[str, Any]) -> list[tuple[str, Piece | list[Piece]]]:
    fields: list[tuple[str, Piece | list[Piece]]] = [
        ("cid", run["cid"]),
        ("task", (f"{run['plan_name']}/{run['task_name']}", "bold")),
        ("status", status(run["status"])),
    ]
    if "waiting" in run:
        fields.append(("waits", waits_for(run["waiting"])))
        blocking = waits_for_runs(run["waiting"])
        if blocking:
            fields.append(("blocked by", list(blocking)))
    if "retry_of" in run:
        fields.append(("retry of", run["retry_of"]))
    fields += _times(run)
    fields.append(("priority", str(run["priority"])))
    if run["labels"]:
        fields.append(
            ("labels", " ".join(f"{key}={value}" for key, value in run["labels"].items()))
        )
    if "parent_cid" in run:
        fields.append(("parent", run["parent_cid"]))
    attempt = str(run["attempt"])
    fields.append(("attempt", f"{attempt} on {run['worker']}" if "worker" in run else attempt))
    if "timeout_sec" in run:
        fields.append(("timeout", duration(run["timeout_sec"])))
    if "cancel" in run:
        fields.append(("cancel", _cancel(run["cancel"])))
    fields.append(("inputs", _json(run["inputs"])))
    if "result" in run:
        fields.append(("result", _json(run["result"])))
    if "error" in run:
        fields.append(("error", _error(run["error"])))
    fields.append(("definition", run["definition_digest"]))
    fields.append(("plan", run["plan_digest"]))
    return fields


def _times(run: Mapping[str, Any]) -> list[tuple[str, Piece | list[Piece]]]:
    fields: list[tuple[str, Piece | list[Piece]]] = []
    for name, key in (
        ("created", "created_at"),
        ("not before", "run_at"),
        ("started", "started_at"),
    ):
        if key in run:
            fields.append((name, local_time(run[key])))
    if "finished_at" in run:
        took = ""
        if "started_at" in run:
            took = f" after {duration(between(run['started_at'], run['finished_at']))}"
        fields.append(("finished", local_time(run["finished_at"]) + took))
    return fields


def _cancel(cancel: Mapping[str, Any]) -> str:
    reason = f": {cancel['reason']}" if "reason" in cancel else ""
    return f"{cancel['mode']}, asked for {local_time(cancel['requested_at'])}{reason}"


def _error(error: Mapping[str, Any]) -> list[Piece]:
    place = f" in step {error['step']}" if "step" in error else ""
    first, *rest = safe_lines(error["message"])
    lines: list[Piece] = [(f"{error['type']}{place}: {first}", "red"), *rest]
    if "traceback" in error:
        lines += [(line, "dim") for line in safe_lines(error["traceback"])]
    return lines


def _json(value: Any) -> Piece | list[Piece]:
    brief = brief_value(value)
    return brief if len(brief) <= 60 and not isinstance(value, str) else list(value_lines(value))
