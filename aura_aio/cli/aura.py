"""The command `aura`, and its commands.

May import click and `cli`.
"""

import io
import sys

import click

import aura_aio
from aura_aio.cli.audit import audit
from aura_aio.cli.backup import backup, restore
from aura_aio.cli.config import config
from aura_aio.cli.doctor import doctor
from aura_aio.cli.groups import OrderedGroup
from aura_aio.cli.logs import logs
from aura_aio.cli.plans import plans
from aura_aio.cli.queue import queue
from aura_aio.cli.retry import retry
from aura_aio.cli.run import run
from aura_aio.cli.runs import cancel, runs
from aura_aio.cli.schedules import schedules
from aura_aio.cli.serve import serve
from aura_aio.cli.system import system
from aura_aio.cli.token import token


@click.group(cls=OrderedGroup, context_settings={"max_content_width": 100})
@click.version_option(aura_aio.__version__, message="aura %(version)s")
def aura() -> None:
    """Run automation plans, and watch them run.

    `aura serve` starts the server; the other commands talk to it, at --url or AURA_URL.
    """


for _command in (
    serve, run, runs, cancel, retry, logs, queue, schedules, plans, system, token, audit, config,
    backup, restore, doctor,
):  # fmt: skip
    aura.add_command(_command)


def main() -> None:
    """The entry point: run the command line, and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What the terminal's encoding lacks is shown as an escape, not as a traceback.
            stream.reconfigure(errors="backslashreplace")
    aura(prog_name="aura")
