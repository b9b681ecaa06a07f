"""The command `aura`, and its commands.

May import click and `cli`.
"""

import io
import sys
from typing import Final

import click

import aura_aio
from aura_aio.cli.groups import LazyGroup

_MODULES: Final = {
    "serve": "serve", "worker": "worker", "run": "run", "batch": "batch", "runs": "runs",
    "cancel": "runs", "retry": "retry", "logs": "logs", "queue": "queue", "schedules": "schedules",
    "plans": "plans", "system": "system", "token": "token", "audit": "audit", "config": "config",
    "backup": "backup", "restore": "backup", "migrate-store": "migrate_store", "doctor": "doctor",
}  # fmt: skip


@click.group(
    cls=LazyGroup,
    modules={name: f"aura_aio.cli.{module}" for name, module in _MODULES.items()},
    context_settings={"max_content_width": 100},
)
@click.version_option(aura_aio.__version__, message="aura %(version)s")
def aura() -> None:
    """Run automation plans, and watch them run.

    `aura serve` starts the server; the other commands talk to it, at --url or AURA_URL. --url,
    --token and --json may stand before the command, too.
    """


def main() -> None:
    """The entry point: run the command line, and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What the terminal's encoding lacks is shown as an escape, not as a traceback.
            stream.reconfigure(errors="backslashreplace")
    aura(prog_name="aura")
