"""`aura logs`: the stored log, and what comes.

May import click and `cli`; `cli.stream` (aiohttp) only once the command runs.
"""

import sys
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from aura_aio.cli.log_lines import print_entry, tells_of_loss
from aura_aio.cli.params import Level, Whole
from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.screen import Output, Screen
from aura_aio.cli.text import safe_json
from aura_aio.model.clock import SystemClock
from aura_aio.model.log import LogLevel

if TYPE_CHECKING:
    from aura_aio.cli.client import Client

MOST_SEQ: Final = 2**53 - 1
_LAST: Final = 100


class _Asked(msgspec.Struct, frozen=True):
    cid: str | None
    follow: bool
    level: str | None
    step: str | None
    since: int | None
    tail: int | None


@click.command()
@click.argument("cid", required=False)
@click.option(
    "-f", "--follow", is_flag=True, help="Go on with what comes, until the run has ended."
)
@click.option(
    "--level",
    type=Level([level.value for level in LogLevel], case_sensitive=False),
    help="Only entries of this level or a higher one.",
)
@click.option("--step", help="Only entries of this step of the run.")
@click.option(
    "--since", type=Whole(0, MOST_SEQ), metavar="SEQ", help="Only entries after this seq."
)
@click.option("--tail", type=Whole(0, 10_000), metavar="N", help="Only the last N stored entries.")
@talks_to_server
async def logs(client: "Client", screen: Screen, **options: Any) -> None:
    """Show the log: of the run CID, or of everything.

    Without CID, the last 100 stored entries, unless --since or --tail asks for others. With
    --json, each entry is a line of JSON.
    """
    from aura_aio.cli.stream import CaughtUp, Entry, RunEnd, watch  # noqa: PLC0415 - see remote.py

    asked = _Asked(**options)
    if asked.step is not None and (asked.cid is None or asked.tail is not None):
        raise click.UsageError("--step goes with a CID, and without --tail.")
    tail = asked.tail
    if tail is None and asked.since is None and asked.cid is None:
        tail = _LAST
    since = 0 if asked.since is None and tail is None else asked.since
    items = watch(
        client,
        {"cid": asked.cid, "level": asked.level},
        since=since,
        tail=tail,
        lost=tells_of_loss(screen.notes) if asked.follow else None,
    )
    async with aclosing(items):
        async for item in items:
            match item:
                case Entry():
                    _show(screen, item.json, asked)
                case CaughtUp() if not asked.follow:
                    return
                case RunEnd(status=status):
                    if asked.follow:
                        screen.notes.line((f"The run has ended: {status}", "dim"))
                    return
                case _:
                    continue


def _show(screen: Screen, json: bytes, asked: _Asked) -> None:
    entry = msgspec.json.decode(json)
    if asked.step is not None and entry.get("step") != asked.step:
        return
    if screen.as_json:
        sys.stdout.buffer.write(safe_json(json.decode()).encode() + b"\n")
        sys.stdout.buffer.flush()
        return
    print_entry(screen.out, entry, who(entry, of_run=asked.cid is not None), today(screen.out))


def who(entry: dict[str, Any], *, of_run: bool) -> str:
    """Who speaks in a log entry: within the log of one run the step, else all that is known."""
    step: str = entry.get("step", "")
    if of_run:
        return step or ("" if "cid" in entry and "worker" in entry else str(entry["logger"]))
    if "cid" not in entry:
        return str(entry["logger"])
    task = f"{entry.get('plan_name', '?')}/{entry.get('task_name', '?')}"
    # The end of a cid is what tells runs of the same minute apart; `aura runs -q` finds it.
    return " ".join(filter(None, [task, f"…{entry['cid'][-6:]}", step]))


def today(output: Output) -> datetime | None:
    """The present day where a person reads along, for whom its times need no date."""
    if output.console is None:
        return None
    return datetime.fromtimestamp(SystemClock().now(), UTC).astimezone()
