"""`-i` and `--inputs` of commands that name a task, and the inputs that they give to it.

May import click and `cli`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from aura_aio.cli import inputs
from aura_aio.cli.options import Command

if TYPE_CHECKING:
    from aura_aio.cli.client import Client


def input_options(command: Command) -> Command:
    """Give `command` the options, as `pairs` and `document`."""
    command = click.option(
        "--inputs", "document", type=click.File("rb"), help="Inputs as a JSON object; - is stdin."
    )(command)
    return click.option(
        "-i", "--input", "pairs", multiple=True, metavar="NAME=VALUE", help="An input."
    )(command)


async def given_inputs(
    client: "Client", plan: str, task: str, pairs: Iterable[str], document: BinaryIO | None
) -> dict[str, Any]:
    """The inputs in the document and, in place of those of the same name, in `pairs`; these of the
    types that the task wants.

    Raises:
        click.BadParameter: they cannot be read so.
    """
    given = inputs.read_document(document.read()) if document else {}
    if split := inputs.split_pairs(pairs):
        found = await client.get("api", "plans", plan, "tasks", task)
        given |= inputs.typed(split, found.data["inputs_schema"])
    return given
