"""`aura runs timeline`: when the steps of a run ran.

May import click and `cli`.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.screen import Column, Piece, Screen, status
from aura_aio.cli.text import between, duration, safe_lines
from aura_aio.model.clock import SystemClock, rfc3339

if TYPE_CHECKING:
    from aura_aio.cli.client import Client


@click.command("timeline")
@click.argument("cid")
@talks_to_server
async def timeline(client: "Client", screen: Screen, cid: str) -> None:
    """Show when the steps of the run CID began, and how long they took.

    Times count from the start of the first one. A step with a loop or with several tries has a line
    for each of its calls.
    """
    answer = await client.get("api", "runs", cid, "timeline")
    if screen.as_json:
        screen.json(answer.body)
        return
    steps = answer.data["steps"]
    if not steps:
        screen.notes.line("No step has begun.")
        return
    rows = list(_rows(steps, rfc3339(SystemClock().now())))
    columns = [
        Column("step", elastic=True),
        Column("status"),
        Column("began", right=True),
        Column("took", right=True),
        Column("tries", right=True),
        Column("note", elastic=True),
    ]
    screen.table(columns, rows)


def _rows(steps: list[dict[str, Any]], now: str) -> Iterator[list[Piece]]:
    zero = min((step["started_at"] for step in steps if "started_at" in step), default=now)
    is_retaken = any(step.get("attempt", 1) > 1 for step in steps)
    for step in steps:
        tries = str(step["tries"]) if step["tries"] else "-"
        times = _times(step, zero, now)
        yield [step["node_id"], status(step["status"]), *times, tries, _note(step, is_retaken)]
        for call in step.get("calls", ()):
            turn = f"turn {call['loop_index']}, " if "loop_index" in call else ""
            name = f"  {turn}try {call['tried']}"
            yield [name, status(call["status"]), *_times(call, zero, now), "", ""]


def _times(timed: Mapping[str, Any], zero: str, now: str) -> list[str]:
    """When it began and how long it took, or takes so far."""
    if "started_at" not in timed:
        return ["-", "-"]
    began, end = timed["started_at"], timed.get("finished_at", now)
    return [f"+{duration(between(zero, began))}", duration(between(began, end))]


def _note(step: Mapping[str, Any], is_retaken: bool) -> Piece:
    if "error" in step:
        return f"{step['error']['type']}: {safe_lines(step['error']['message'])[0]}", "red"
    if step["is_reused"]:
        return "kept from the run that is done over", "dim"
    return (f"attempt {step['attempt']}" if is_retaken and "attempt" in step else ""), "dim"
