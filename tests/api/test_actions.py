"""The actions that steps can call, as clients see them: listActions.

Imports the fixtures and `tests.serving`.
"""

from pathlib import Path
from typing import Any

from tests.conftest import MakeServer
from tests.serving import Served, write_plan

ACTIONS = '''
"""This module must not be run by the server."""

import os

from aura_aio import ActionContext, action

os.environ["WAS_RUN_BY"] = "somebody"
raise SystemExit("the server has run the code of a plan")


@action(timeout=5, isolation="process")
async def fetch(
    context: ActionContext, url: str, sizes: list[int] | None = None, *, deep: bool = False, **rest
) -> None:
    """Fetch it."""


@action
def plain(context, other):
    pass
'''


async def actions(server: Served) -> dict[tuple[str | None, str], Any]:
    """All actions, by plan and name."""
    items = (await server.get("/api/actions")).json["items"]
    return {(item.get("plan_name"), item["name"]): item for item in items}


async def test_the_actions_of_plans(make_server: MakeServer, tmp_path: Path) -> None:
    write_plan(tmp_path / "plans", "mine", {"t": "steps: {a: {action: plain}}\n"}, ACTIONS)
    found = await actions(await make_server(plans=[str(tmp_path / "plans")], start=False))
    assert found["mine", "fetch"] == {
        "name": "fetch",
        "plan_name": "mine",
        "doc": "Fetch it.",
        "timeout_sec": 5.0,
        "isolation": "process",
        "parameters": [
            {"name": "url", "type": "str", "required": True},
            {"name": "sizes", "type": "list[int] | None", "required": False, "default": "None"},
            {"name": "deep", "type": "bool", "required": False, "default": "False"},
            {"name": "**rest", "required": False},
        ],
    }
    assert found["mine", "plain"] == {
        "name": "plain",
        "plan_name": "mine",
        "parameters": [{"name": "other", "required": True}],
    }


async def test_the_built_in_actions(make_server: MakeServer) -> None:
    server = await make_server(start=False)
    found = await actions(server)
    seconds = {"name": "seconds", "type": "float", "required": True}
    assert found[None, "sleep"]["parameters"] == [seconds]
    assert found[None, "set"]["parameters"] == [
        {"name": "**values", "type": "Any", "required": False}
    ]
    assert found[None, "log"]["doc"].startswith("Write a line to the run's log.")
    assert (None, "shell.run") not in found
    with_shell = await actions(await make_server(start=False, allow_shell=True))
    assert set(with_shell) - set(found) == {(None, "shell.run")}


async def test_what_is_asked_again_is_not_sent_again(make_server: MakeServer) -> None:
    server = await make_server(start=False)
    tag = (await server.get("/api/actions")).headers["ETag"]
    again = await server.get("/api/actions", headers={"If-None-Match": tag})
    assert again.status == 304
