"""`aura run --dry-run`: what a run would do, and whether it would wait.

May import `cli` only.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aura_aio.cli.screen import Column, Piece, Screen, brief_value
from aura_aio.cli.waiting import waits_for

if TYPE_CHECKING:
    from aura_aio.cli.client import Client

_STYLES = {"run": "green", "skip": "yellow"}


async def rehearse(client: "Client", screen: Screen, body: Mapping[str, Any]) -> None:
    """Print what `body`, a request to run a task, would lead to."""
    answer = await client.post("api", "tasks", "dry-run", body=body)
    if screen.as_json:
        screen.json(answer.body)
        return
    told = answer.data
    fields: list[tuple[str, Piece | list[Piece]]] = [
        ("task", (f"{told['plan_name']}/{told['task_name']}", "bold")),
        ("inputs", brief_value(told["inputs"])),
        ("would wait", waits_for(told["waiting"]) or "no"),
    ]
    if told["limits"]:
        fields.append(("needs", [_limit(each) for each in told["limits"]]))
    screen.fields(fields)
    screen.out.line()
    columns = [
        Column("step"),
        Column("action"),
        Column("outlook"),
        Column("why", elastic=True),
    ]
    rows: list[list[Piece]] = [
        [step["node_id"], step["action"], _outlook(step["outlook"]), step["why"]]
        for step in told["steps"]
    ]
    screen.table(columns, rows)
    screen.notes.line(("Nothing was started.", "dim"))


def _outlook(word: str) -> Piece:
    return word, _STYLES.get(word, "")


def _limit(limit: Mapping[str, Any]) -> Piece:
    named = f" {limit['resource']}" if "resource" in limit else ""
    full = ", taken now" if limit["is_full"] else ""
    return f"{limit['code']}{named} ({limit['most']} at a time{full})"
