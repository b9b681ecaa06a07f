"""Waiting for the end of a run: its log and its progress on stderr, as they come.

May import aiohttp, rich and `cli`.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.status import Status
from rich.table import Table
from rich.text import Text

from aura_aio.cli.client import WAIT_SEC, Answer, Client
from aura_aio.cli.failure import Failure
from aura_aio.cli.log_lines import print_entry, tells_of_loss
from aura_aio.cli.logs import today, who
from aura_aio.cli.screen import STATUS_STYLES, Output, Screen
from aura_aio.cli.stream import Entry, RunEnd, watch
from aura_aio.cli.text import between, duration, safe, safe_lines
from aura_aio.cli.waiting import held_back, waits_for
from aura_aio.model.clock import SystemClock, rfc3339
from aura_aio.model.coroutines import CoroutineTasks

_POLL_SEC: Final = 1.0
_BAR: Final = 24


async def follow(client: Client, screen: Screen, cid: str) -> Answer:
    """Show what the run logs until it has ended; how it ended is the last line. Answers getRun.

    Raises:
        ServerProblem, NoServer: the server does not let us, or was never there.
    """
    notes = screen.notes
    waiting = (await client.get("api", "runs", cid)).data.get("waiting")
    for line in held_back(waiting) if waiting is not None else ():
        notes.line((line, "yellow"))
    async with _progress(client, notes.console, cid):
        items = watch(client, {"cid": cid}, since=0, lost=tells_of_loss(notes))
        async with aclosing(items):
            async for item in items:
                if isinstance(item, Entry):
                    entry = item.read()
                    print_entry(notes, entry, who(entry, of_run=True), today(notes))
                elif isinstance(item, RunEnd):
                    break
    ended = await client.get("api", "runs", cid, query={"wait_sec": WAIT_SEC})
    _tell_end(notes, ended.data)
    return ended


def _tell_end(notes: Output, run: Mapping[str, Any]) -> None:
    word = run["status"]
    took = ""
    if "started_at" in run and "finished_at" in run:
        took = f" after {duration(between(run['started_at'], run['finished_at']))}"
    notes.line((word.replace("_", " "), f"bold {STATUS_STYLES.get(word, '')}"), took)
    error = run.get("error")
    if error is None:
        return
    if "traceback" in error:
        # Its last lines are those that follow anyway.
        trace = error["traceback"].rstrip().removesuffix(f"{error['type']}: {error['message']}")
        for line in safe_lines(trace):
            notes.line("    ", (line, "dim"))
    place = f" in step {error['step']}" if "step" in error else ""
    first, *rest = safe_lines(error["message"])
    notes.line((f"{error['type']}{place}: ", "bold red"), first, hang=4)
    for line in rest:
        notes.line("    ", line, hang=4)


@asynccontextmanager
async def _progress(client: Client, console: Console | None, cid: str) -> AsyncIterator[None]:
    """On a terminal, keep a line at its end that says how far the run is."""
    if console is None:
        yield
        return
    tasks = CoroutineTasks()
    with Status(Text("…"), console=console) as status:
        tasks.spawn(_poll(client, status, cid))
        try:
            yield
        finally:
            await tasks.aclose()


async def _poll(client: Client, status: Status, cid: str) -> None:
    """Ask once a second: listActiveRuns has the progress, getRun says why a run waits."""
    while True:
        try:
            active = await client.get("api", "runs", "active")
            found = [run for run in active.data["items"] if run["cid"] == cid]
            if found:
                status.update(_running(found[0]))
            else:
                run = await client.get("api", "runs", cid)
                status.update(_not_running(run.data))
        except Failure:
            # The log stream meets the same trouble, and tells it.
            status.update(Text("no answer", style="yellow"))
        await asyncio.sleep(_POLL_SEC)


def _running(run: Mapping[str, Any]) -> Table:
    parts: list[Text | ProgressBar] = [Text(run["status"], STATUS_STYLES.get(run["status"], ""))]
    parts.append(Text(duration(between(run["started_at"], rfc3339(SystemClock().now())))))
    if run["current_steps"]:
        parts.append(Text(safe(", ".join(run["current_steps"])), "cyan"))
    progress = run.get("progress")
    if progress is not None:
        parts.append(ProgressBar(total=1.0, completed=progress["fraction"], width=_BAR))
        parts.append(Text(f"{progress['fraction']:.0%}"))
        parts.append(Text(safe(progress.get("message", ""))))
    return _in_one_line(parts)


def _not_running(run: Mapping[str, Any]) -> Table:
    why = waits_for(run["waiting"]) if "waiting" in run else ""
    style = STATUS_STYLES.get(run["status"], "")
    return _in_one_line([Text(run["status"], style), Text(safe(why))])


def _in_one_line(parts: Sequence[Text | ProgressBar]) -> Table:
    line = Table.grid(padding=(0, 2, 0, 0))
    for part in parts:
        line.add_column(no_wrap=isinstance(part, ProgressBar), overflow="ellipsis")
        if isinstance(part, Text):
            part.no_wrap, part.overflow = True, "ellipsis"
    line.add_row(*parts)
    return line
