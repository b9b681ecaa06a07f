"""`aura plans new`: a plan to begin with, that works and is tested.

May import click and `cli`; the catalog only once the command runs.
"""

import re
import shlex
from pathlib import Path
from string import Template
from typing import Final

import click

from aura_aio.cli.failure import Failure
from aura_aio.cli.roots import plan_roots
from aura_aio.cli.screen import Screen

_MANIFEST: Final = """\
package:
  name: "$name"
  version: 0.1.0
  title: "$title"
  description: Say in a sentence what the plan is for.
"""

_TASK: Final = """\
# aura run $name example -i name=Ada --wait
meta:
  title: Example
  description: Greets somebody; change it into what you need.
  inputs:
    - {name: name, type: string, required: true, max: 200, description: Who is greeted.}
    - {name: times, type: integer, default: 1, min: 1, max: 10, description: How often.}
steps:
  compose:
    action: compose
    params: {name: "{{ inputs.name }}", times: "{{ inputs.times }}"}
  say:
    action: log
    depends_on: compose
    params: {message: "{{ nodes.compose.output }}"}
returns:
  greeting: "{{ nodes.compose.output }}"
"""

_ACTIONS: Final = '''\
"""The actions of the plan `$name`: what the steps of its tasks call."""

from aura_aio import ActionContext, action


@action
def compose(name: str, times: int, context: ActionContext) -> str:
    """Compose a greeting."""
    context.log(f"greeting {name}", times=times)
    return " ".join([f"Hello, {name}!"] * times)
'''

_TESTS: Final = '''\
"""Tests of the plan `$name`. Run them with: aura plans test $name"""

import pytest

from aura_aio.testing import InputsRejected, RunTask


def test_the_example_greets(run_task: RunTask) -> None:
    run = run_task("example", {"name": "Ada", "times": 2})
    assert run.status == "succeeded"
    assert run.result == {"greeting": "Hello, Ada! Hello, Ada!"}
    assert run.messages("compose") == ["greeting Ada"]


def test_nobody_is_greeted_too_often(run_task: RunTask) -> None:
    with pytest.raises(InputsRejected, match="times: must be at most 10, not 11"):
        run_task("example", {"name": "Ada", "times": 11})
'''

_README: Final = """\
# $name

Say what the plan is for, and for whom.

| task | what it does |
|---|---|
| `example` | greets somebody |

```sh
aura plans test $name                        # its tests, without a server
aura system reload                           # let the server read it
aura run $name example -i name=Ada --wait
```
"""


@click.command("new")
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder of plans to make it in.  [default: the first one of the settings]",
)
def new_plan(name: str, into: Path | None) -> None:
    """Make a plan NAME that works and is tested.

    It has a task with inputs, an action, and tests of both. Nothing that is there is written over.
    """
    root = plan_roots()[0] if into is None else into
    _check(name)
    folder = root / name
    test_file = f"tests/test_{re.sub(r'[.-]', '_', name)}.py"
    files = {
        "manifest.yaml": _MANIFEST,
        "tasks/example.yaml": _TASK,
        "actions.py": _ACTIONS,
        test_file: _TESTS,
        "README.md": _README,
    }
    title = re.sub(r"[._-]+", " ", name).strip().capitalize()
    try:
        root.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        for file, text in files.items():
            path = folder / file
            path.parent.mkdir(exist_ok=True)
            path.write_text(Template(text).substitute(name=name, title=title), "utf-8")
    except FileExistsError as error:
        raise Failure(f"{folder} is there already; nothing is written over.") from error
    except OSError as error:
        raise Failure(f"{folder} cannot be made: {error.strerror or error}") from error
    _tell(Screen(), name, folder, test_file)


def _check(name: str) -> None:
    from aura_aio.catalog.references import NAME_RULE, is_name  # noqa: PLC0415 - as in plan_tests

    if not is_name(name):
        why = NAME_RULE
    elif name.startswith("_"):
        why = "a folder whose name begins with '_' is no plan"
    else:
        return
    raise click.BadParameter(f"A plan cannot be called {name!r}: {why}.", param_hint="NAME")


def _tell(screen: Screen, name: str, folder: Path, test_file: str) -> None:
    screen.out.line((f"The plan {name} is in {folder}:", "bold"))
    screen.fields(
        [
            ("  manifest.yaml", "what the plan is called"),
            ("  tasks/example.yaml", "a task: its inputs, its steps, its result"),
            ("  actions.py", "what the steps call"),
            (f"  {test_file}", "tests of it all"),
            ("  README.md", "what the plan is for"),
        ]
    )
    screen.out.line()
    screen.out.line(f"Test it:  aura plans test {shlex.quote(str(folder))}")
    screen.out.line(f"Run it:   aura system reload; aura run {name} example -i name=Ada --wait")
