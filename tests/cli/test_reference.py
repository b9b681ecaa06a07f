"""The generated pages are those of this program.

Imports pytest and `cli.reference`.
"""

import pytest

from aura_aio.cli.reference import pages
from aura_aio.settings import settings_table
from tests.cli.command import REPOSITORY

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


def test_every_command_is_on_its_page() -> None:
    words = ["serve", "run", "runs", "cancel", "logs", "queue", "plans", "system", "config"]
    for command in [*words, "runs show", "queue priority", "plans show", "system reload"]:
        assert f" aura {command}\n" in PAGES["docs/reference/cli.md"]
