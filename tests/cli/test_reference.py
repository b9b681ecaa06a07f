"""The generated pages are those of this program.

Imports pytest, `cli.reference` and `engine.builtin`.
"""

import inspect
import re
from pathlib import Path
from textwrap import indent

import pytest

from aura_aio.cli.action_reference import EXAMPLES
from aura_aio.cli.reference import pages
from aura_aio.engine.builtin import builtin_actions
from aura_aio.settings_table import settings_table
from tests.cli.command import REPOSITORY
from tests.engine.harness import write_plan

PAGES = pages()


@pytest.mark.parametrize("path", PAGES)
def test_the_page_is_fresh(path: str) -> None:
    written = (REPOSITORY / path).read_text("utf-8")
    assert written == PAGES[path], "run: python scripts/generate_docs.py"


def test_every_setting_is_on_its_page() -> None:
    for setting in settings_table():
        assert (
            f"| `{setting.name}` | `{setting.flag}`<br>`{setting.variable}` |"
            in (PAGES["docs/reference/settings.md"])
        )


def test_every_built_in_action_is_on_its_page_with_all_that_it_takes() -> None:
    page = PAGES["docs/reference/actions.md"]
    for name, action in builtin_actions(allow_shell=True).items():
        (part,) = re.findall(
            rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE
        )
        assert "\n\nGives: " in part
        for parameter in inspect.signature(action.function).parameters.values():
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                assert "| any others |" in part
            elif parameter.name != "context":
                assert f"| `{parameter.name}` |" in part
        raises = (action.function.__doc__ or "").partition("Raises:\n")[2]
        assert len(re.findall(r"^ *[\w.]+: ", raises, re.MULTILINE)) == part.count("\n- `")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_of_an_action_is_a_step(tmp_path: Path, name: str) -> None:
    step = indent(f"action: {name}\n{EXAMPLES[name]}", " " * 4)
    text = f"meta: {{inputs: [{{name: token}}]}}\nsteps:\n  a:\n{step}\n"
    catalog = write_plan(tmp_path, {"tasks/t.yaml": text})
    assert catalog.plan("case").errors == ()
    params = catalog.task("case", "t").task.steps[0].params
    taken = inspect.signature(builtin_actions(allow_shell=True)[name].function).parameters
    assert name == "set" or params.keys() <= taken.keys()


def test_every_command_is_on_its_page() -> None:
    words = [
        "serve",
        "run",
        "batch",
        "runs",
        "cancel",
        "logs",
        "queue",
        "plans",
        "system",
        "config",
    ]
    for command in [*words, "runs show", "queue priority", "plans show", "system reload"]:
        assert f" aura {command}\n" in PAGES["docs/reference/cli.md"]
