"""`aura run`: start a task, and wait for its run where asked to.

May import click and `cli`; aiohttp only once the command runs.
"""

import asyncio
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import msgspec

from aura_aio.cli.given_inputs import given_inputs, input_options
from aura_aio.cli.idempotency import key_headers, tell_replayed
from aura_aio.cli.params import LABEL, Number, Whole, labels_of
from aura_aio.cli.rehearsal import rehearse
from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.screen import Screen

if TYPE_CHECKING:
    from aura_aio.cli.client import Answer, Client


class _Asked(msgspec.Struct, frozen=True):
    plan: str
    task: str
    pairs: tuple[str, ...]
    document: BinaryIO | None
    priority: int | None
    delay_sec: float | None
    timeout_sec: float | None
    labels: tuple[str, ...]
    callback_url: str | None
    idempotency_key: str | None
    index: int | None
    wait: bool
    dry_run: bool


@click.command(
    epilog="Values of -i are typed as the task's inputs ask for: 3 for a number, true for a "
    "boolean, JSON for lists and dicts. A list may also be given item by item, by its name "
    "several times. NAME=@FILE takes the text of a file, NAME=@@TEXT a text that begins with @."
)
@click.argument("plan")
@click.argument("task")
@input_options
@click.option("--priority", type=Whole(-100, 100), help="Higher goes first.  [default: 0]")
@click.option("--delay", "delay_sec", type=Number(0), metavar="SEC", help="Do not start before.")
@click.option(
    "--timeout",
    "timeout_sec",
    type=Number(0, min_open=True),
    metavar="SEC",
    help="How long the run may take.",
)
@click.option("--label", "labels", multiple=True, type=LABEL, help="A label to find it by.")
@click.option(
    "--callback-url", metavar="URL", help="Let the server tell this address when the run has ended."
)
@click.option(
    "--idempotency-key", metavar="KEY", help="The same key and task again start nothing new."
)
@click.option(
    "--index", type=Whole(0), metavar="N", help="Let N queued runs of its priority go before it."
)
@click.option("--wait", is_flag=True, help="Show its log live, and its result at the end.")
@click.option("--dry-run", is_flag=True, help="Start nothing, only show what would be done.")
@talks_to_server
async def run(client: "Client", screen: Screen, **options: Any) -> None:
    """Run TASK of PLAN; print the cid of the run.

    With --wait the log and the progress go to stderr and the result to stdout; the exit code is 1
    when the run does not succeed, and 130 after Ctrl-C, which leaves the run alone.
    """
    asked = _Asked(**options)
    if asked.dry_run:
        await _rehearse(client, screen, asked)
        return
    accepted = await _submit(client, asked)
    cid: str = accepted.data["cid"]
    tell_replayed(screen, accepted)
    if not asked.wait:
        if screen.as_json:
            screen.json(accepted.body)
        else:
            screen.out.line(cid)
        return
    from aura_aio.cli.follow import follow  # noqa: PLC0415 - see remote.py

    screen.notes.line((f"{asked.plan}/{asked.task}", "bold"), "  ", (cid, "dim"))
    try:
        ended = await follow(client, screen, cid)
    except asyncio.CancelledError:
        screen.notes.line(("The run goes on. ", "yellow"), f"To cancel it: aura cancel {cid}")
        raise
    if screen.as_json:
        screen.json(ended.body)
    elif "result" in ended.data:
        screen.value(ended.data["result"])
    if ended.data["status"] != "succeeded":
        raise click.exceptions.Exit(1)


async def _rehearse(client: "Client", screen: Screen, asked: _Asked) -> None:
    if asked.wait:
        raise click.UsageError("With --dry-run there is nothing to --wait for.")
    if asked.index is not None:
        raise click.UsageError("With --dry-run there is no queue to have an --index in.")
    await rehearse(client, screen, await _body(client, asked))


async def _submit(client: "Client", asked: _Asked) -> "Answer":
    headers = key_headers(asked.idempotency_key)
    body = await _body(client, asked)
    if asked.index is None:
        return await client.post("api", "tasks", "run", body=body, headers=headers)
    body["index"] = asked.index
    return await client.post("api", "queue", "insert", body=body, headers=headers)


async def _body(client: "Client", asked: _Asked) -> dict[str, Any]:
    """The request for what is asked for, with inputs of the types that the task wants."""
    given = await given_inputs(client, asked.plan, asked.task, asked.pairs, asked.document)
    body = {
        "plan_name": asked.plan,
        "task_name": asked.task,
        "inputs": given,
        "priority": asked.priority,
        "delay_sec": asked.delay_sec,
        "timeout_sec": asked.timeout_sec,
        "labels": labels_of(asked.labels) or None,
        "callback_url": asked.callback_url,
    }
    return {name: value for name, value in body.items() if value is not None}
