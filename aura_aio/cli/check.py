"""`aura plans check`: what could not be loaded of plans on this machine, without a server.

May import click and `cli`; `catalog` only once the command runs.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from aura_aio.cli.failure import Failure
from aura_aio.cli.load_errors import print_load_error
from aura_aio.cli.roots import plan_roots
from aura_aio.cli.screen import Screen
from aura_aio.cli.text import count
from aura_aio.model.plan import LoadError, Plan


class CheckResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `--json` prints; `file` of each error is written as it is printed without."""

    valid: bool
    plan_count: int
    task_count: int
    errors: tuple[dict[str, Any], ...]


@click.command()
@click.argument(
    "path", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def check(*, path: Path | None, as_json: bool) -> None:
    """Check the plan in PATH, or the plans in its folders, without a server.

    Prints `file:line:column: path: message` for all that could not be loaded, and ends with 1 if
    there is any. No code of a plan is run. Without PATH: the folders that `aura serve` would take.
    """
    folders = [path] if path is not None else plan_roots()
    plans, errors = _checked(folders)
    if not plans and not errors:
        raise Failure(f"There is no plan in {', '.join(map(str, folders))}.")
    screen = Screen(as_json=as_json)
    task_count = sum(len(plan.tasks) for plan in plans)
    if as_json:
        found = CheckResult(not errors, len(plans), task_count, tuple(map(_as_json, errors)))
        screen.json(msgspec.json.encode(found))
    else:
        for error in errors:
            print_load_error(screen.out, error)
        _sum_up(screen, plans, task_count, errors)
    if errors:
        raise click.exceptions.Exit(1)


def _checked(folders: Sequence[Path]) -> tuple[list[Plan], list[LoadError]]:
    """The plans, and all that is wrong with them, each with the whole way to its file."""
    from aura_aio.catalog.validation import check_folder  # noqa: PLC0415 - Jinja2 takes 0.1 s

    plans: list[Plan] = []
    errors: list[LoadError] = []
    for folder in folders:
        found = check_folder(folder)
        plans += found.plans
        errors += found.errors
        for plan in found.plans:
            errors += _with_place(plan)
    return plans, errors


def _with_place(plan: Plan) -> Iterator[LoadError]:
    for error in plan.errors:
        file = Path(plan.root, error.file)
        if file.is_relative_to(Path.cwd()):
            file = file.relative_to(Path.cwd())
        yield msgspec.structs.replace(error, file=str(file))


def _sum_up(
    screen: Screen, plans: Sequence[Plan], task_count: int, errors: Sequence[LoadError]
) -> None:
    told = f"{count(len(plans), 'plan')}, {count(task_count, 'task')}"
    if errors:
        screen.notes.line((f"{told}, {count(len(errors), 'load error')}.", "bold red"))
    else:
        screen.out.line(f"{told}, no load errors.")


def _as_json(error: LoadError) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(error)
    return found
