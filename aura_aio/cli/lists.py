"""Lists that the server answers in pages: their options, and showing them.

May import click and `cli`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from aura_aio.cli.options import Command
from aura_aio.cli.params import Whole
from aura_aio.cli.screen import Screen

if TYPE_CHECKING:
    from aura_aio.cli.client import Client

_PAGE: Final = 1000
"""The most items that the server gives at a time."""

Items = Sequence[Mapping[str, Any]]


def list_options(most: int = 20) -> Callable[[Command], Command]:
    """Give a command the options `--limit` (default: `most`) and `--cursor`."""

    def add(command: Command) -> Command:
        command = click.option("--cursor", help="Go on where the list before ended.")(command)
        return click.option(
            "--limit", type=Whole(1), default=most, show_default=True, help="At the most."
        )(command)

    return add


async def show_list(
    client: "Client",
    screen: Screen,
    path: Sequence[str],
    options: Mapping[str, Any],
    show: Callable[[Screen, Items], None],
    nothing: str,
) -> None:
    """Show the list at `path`, as far as `options` (the query, and those of `list_options`) ask.

    As JSON it is one page, as it came. `nothing` is said of an empty list.
    """
    query = dict(options)
    most: int = query.pop("limit")
    if screen.as_json:
        query["limit"] = min(most, _PAGE)
        screen.json((await client.get("api", *path, query=query)).body)
        return
    items, cursor = await pages(client, *path, query=query, most=most)
    if not items:
        screen.notes.line(nothing)
        return
    show(screen, items)
    if cursor is not None:
        screen.notes.line((f"There are more: --limit, or --cursor {cursor}", "dim"))


async def pages(
    client: "Client", *path: str, query: dict[str, Any], most: int
) -> tuple[Items, str | None]:
    """Up to `most` items of a list, over as many pages as it takes, and the cursor of the rest."""
    items: list[dict[str, Any]] = []
    cursor = query.get("cursor")
    while True:
        limit = min(_PAGE, most - len(items))
        answer = await client.get("api", *path, query={**query, "limit": limit, "cursor": cursor})
        items += answer.data["items"]
        cursor = answer.data.get("next_cursor")
        if cursor is None or len(items) >= most:
            return items, cursor
