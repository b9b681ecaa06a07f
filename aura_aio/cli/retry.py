"""`aura retry`: do a finished run over.

May import click and `cli`.
"""

from typing import TYPE_CHECKING, Any, BinaryIO

import click
import msgspec

from aura_aio.cli import inputs
from aura_aio.cli.idempotency import key_headers, tell_replayed
from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.screen import Column, Screen

if TYPE_CHECKING:
    from aura_aio.cli.client import Client


class _Asked(msgspec.Struct, frozen=True):
    start: str
    pairs: tuple[str, ...]
    document: BinaryIO | None
    latest: bool
    dry_run: bool
    idempotency_key: str | None


@click.command(epilog="For -i see: aura run --help")
@click.argument("cid")
@click.option(
    "--from",
    "start",
    default="start",
    metavar="STEP",
    help="start; failed: keep what has succeeded; or the step to begin with.  [default: start]",
)
@click.option("-i", "--input", "pairs", multiple=True, metavar="NAME=VALUE", help="Another input.")
@click.option(
    "--inputs", "document", type=click.File("rb"), help="Other inputs as JSON; - is stdin."
)
@click.option("--latest", is_flag=True, help="With the task as it is now, not as it was.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done with each step.")
@click.option("--idempotency-key", metavar="KEY", help="The same key again starts nothing new.")
@talks_to_server
async def retry(client: "Client", screen: Screen, cid: str, **options: Any) -> None:
    """Do the finished run CID over; print the cid of the new run.

    Inputs that are not given stay as they were.
    """
    asked = _Asked(**options)
    body = {
        "from": asked.start,
        "inputs": await _inputs(client, cid, asked),
        "definition": "latest" if asked.latest else "pinned",
        "dry_run": asked.dry_run,
    }
    headers = key_headers(asked.idempotency_key)
    answer = await client.post("api", "tasks", cid, "retry", body=body, headers=headers)
    tell_replayed(screen, answer)
    if screen.as_json:
        screen.json(answer.body)
        return
    if asked.dry_run:
        columns = [Column("step"), Column("action"), Column("why", elastic=True)]
        rows = [[each["node_id"], each["action"], each["why"]] for each in answer.data["steps"]]
        screen.table(columns, rows)
        return
    screen.notes.line((answer.data["message"], "dim"))
    screen.out.line(answer.data["cid"])


async def _inputs(client: "Client", cid: str, asked: _Asked) -> dict[str, Any]:
    given = inputs.read_document(asked.document.read()) if asked.document else {}
    if asked.pairs:
        pairs = inputs.split_pairs(asked.pairs)
        definition = (await client.get("api", "runs", cid, "definition")).data
        task: Any = definition["task"]
        if asked.latest:
            path = ("plans", task["plan_name"], "tasks", task["task_name_in_plan"])
            task = (await client.get("api", *path)).data
        given |= inputs.typed(pairs, task["inputs_schema"])
    return given
