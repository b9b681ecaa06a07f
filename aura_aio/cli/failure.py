"""What a command ends with that can't do what it was asked for.

May import click and `cli.screen`.
"""

import sys
from typing import IO, Any

import click

from aura_aio.cli.screen import Output


class Failure(click.ClickException):
    """Printed on stderr, line by line; the exit code is 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message."""
        output = Output(sys.stderr if file is None else file)
        first, *rest = self.format_message().split("\n")
        output.line(("Error: ", "bold red"), first, hang=4)
        for line in rest:
            output.line(line, hang=4)
