"""The command line: `aura serve`, and commands that are clients of the HTTP API.

May import everything below it; only `cli.serve`, and what makes and tests plans, reaches for more
than settings and model.
"""

from aura_aio.cli.aura import main

__all__ = ["main"]
