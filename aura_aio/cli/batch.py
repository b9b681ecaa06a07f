"""`aura batch`: start many tasks with one request.

May import click, msgspec and `cli`; aiohttp only once the command runs.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import msgspec

from aura_aio.cli.idempotency import key_headers, tell_replayed
from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.screen import Screen
from aura_aio.model import json

if TYPE_CHECKING:
    from aura_aio.cli.client import Client


@click.command(
    epilog="A task is an object like "
    '{"plan_name": "hello", "task_name": "greet", "inputs": {"name": "Ada"}}, with whatever else '
    "AdHocTaskRequest of the contract has: priority, delay_sec, run_at, timeout_sec, labels, "
    "callback_url."
)
@click.argument("file", type=click.File("rb"))
@click.option("--atomic", is_flag=True, help="Run all of them or, if any is refused, none.")
@click.option(
    "--idempotency-key", metavar="KEY", help="The same key and tasks again start nothing new."
)
@talks_to_server
async def batch(
    client: "Client",
    screen: Screen,
    file: BinaryIO,
    *,
    atomic: bool,
    idempotency_key: str | None,
) -> None:
    """Run the tasks in FILE; print the cids of the runs.

    FILE (- is stdin) has a task in JSON on each line, or all of them as one JSON list; up to 1,000.
    Those that the server refuses are told on stderr, by their number from 1; the others run, and
    the exit code is 1.
    """
    body = {"tasks": _tasks(file.read()), "atomic": atomic}
    headers = key_headers(idempotency_key)
    answer = await client.post("api", "tasks", "batch", body=body, headers=headers)
    tell_replayed(screen, answer)
    if screen.as_json:
        screen.json(answer.body)
    else:
        _show(screen, answer.data)
    if answer.data["failed_count"]:
        raise click.exceptions.Exit(1)


def _tasks(content: bytes) -> list[Any]:
    """The tasks of a file, whatever they are: each is the server's to judge."""
    try:
        if content.lstrip().startswith(b"["):
            listed: list[Any] = json.loads(content)
            return listed
        return [json.loads(line) for line in content.splitlines() if line.strip()]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise click.BadParameter(
            f"neither a JSON list nor JSON line by line: {error}", param_hint="FILE"
        ) from error


def _show(screen: Screen, result: Mapping[str, Any]) -> None:
    from aura_aio.cli.client import ServerProblem  # noqa: PLC0415 - see remote.py

    for number, item in enumerate(result["items"], 1):
        if "cid" in item:
            screen.out.line(item["cid"])
        else:
            told = ServerProblem(item["error"], b"").format_message().split("\n")
            screen.notes.line((f"task {number}: ", "red"), told[0])
            for line in told[1:]:
                screen.notes.line(line)
