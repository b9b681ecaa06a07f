"""What could not be loaded of a plan, as compilers tell it: `file:line:column: path: message`.

May import the model and `cli`.
"""

from aura_aio.cli.screen import Output
from aura_aio.cli.text import safe_lines
from aura_aio.model.plan import LoadError


def print_load_error(output: Output, error: LoadError, folder: str = "") -> None:
    """Print an error of a plan; `folder`, if any, stands in front of its file."""
    path = f"{error.path}: " if error.path else ""
    first, *rest = safe_lines(error.message)
    output.line((f"{folder}{error.place}: ", "red"), path, first, hang=4)
    for line in rest:
        output.line("    ", line, hang=4)
