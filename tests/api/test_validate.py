"""validateTask: a document is checked as if it stood in a plan, and nothing comes of it."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.serving import Served, write_plan

GOOD = "steps: {a: {action: log, params: {message: hi}}}\n"
OWN = "steps: {a: {action: mend, params: {what: it}}}\n"
ACTIONS = "from aura_aio import action\n\n@action\ndef mend(what: str): ...\n"
BROKEN = "one:\n  steps:\n    a: {action: mnd}\ntwo:\n  steps: {b: {action: set, dependson: a}}\n"


@pytest.fixture
async def tools(make_server: MakeServer, tmp_path: Path) -> Served:
    """A server with the plan `tools`, that has an action and a task, and starts nothing."""
    write_plan(tmp_path / "plans", "tools", {"t": OWN}, ACTIONS)
    write_plan(tmp_path / "plans", "other", {"u": GOOD})
    return await make_server(plans=[str(tmp_path / "plans")], start=False)


async def validate(server: Served, document: str, **rest: Any) -> Any:
    response = await server.post("/api/plans/validate", {"document": document, **rest})
    assert response.status == 200
    return response.json


async def test_a_good_document_is_valid(tools: Served) -> None:
    assert await validate(tools, GOOD) == {"valid": True, "errors": []}


async def test_the_actions_of_the_plan_are_known_when_it_is_named(tools: Served) -> None:
    assert await validate(tools, OWN, plan_name="tools") == {"valid": True, "errors": []}
    for plan in ({}, {"plan_name": "other"}):
        answer = await validate(tools, OWN, **plan)
        assert answer["valid"] is False
        assert [error["message"] for error in answer["errors"]] == [
            "There is no action 'mend'. Did you mean 'tools/mend'?"
        ]
    assert (await validate(tools, OWN.replace("mend", "tools/mend")))["valid"] is True


async def test_what_is_said_is_what_the_loader_says(tools: Served, tmp_path: Path) -> None:
    answer = await validate(tools, BROKEN, plan_name="tools", file="tasks/late.yaml")
    write_plan(tmp_path / "plans", "tools", {"late": BROKEN})
    assert (await tools.post("/api/system/reload")).status == 200
    loaded = (await tools.get("/api/plans/tools")).json["load_errors"]
    assert {error.pop("file") for error in loaded} == {"tasks/late.yaml"}
    assert answer["errors"] == loaded
    assert answer["errors"] == [
        {
            "line": 3,
            "column": 17,
            "path": "one.steps.a.action",
            "message": "There is no action 'mnd'. Did you mean 'mend'?",
        },
        {
            "line": 5,
            "column": 28,
            "path": "two.steps.b.dependson",
            "message": "'dependson' is not known here. Did you mean 'depends_on'?",
        },
    ]


async def test_nothing_is_stored(tools: Served, tmp_path: Path) -> None:
    before = (await tools.get("/api/plans/tools/tasks")).json
    assert (await validate(tools, GOOD, plan_name="tools", file="tasks/t.yaml"))["valid"] is True
    assert (await tools.get("/api/plans/tools/tasks")).json == before
    assert (tmp_path / "plans" / "tools" / "tasks" / "t.yaml").read_text() == OWN


async def test_events_may_come_from_the_document_itself(tools: Served) -> None:
    text = f"first:\n  {GOOD}second:\n  on: [{{event: run.finished, task: %s}}]\n  {GOOD}"
    place = {"plan_name": "tools", "file": "tasks/new.yaml"}
    assert (await validate(tools, text % "new/first", **place))["valid"] is True
    assert (await validate(tools, text % "t", **place))["valid"] is True
    answer = await validate(tools, text % "new/frist", **place)
    assert [error["path"] for error in answer["errors"]] == ["second.on[0].task"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "but nothing stands here"),
        ("steps: {{ x }}", "A template must stand in quotes"),
        ("a: &a [*a]", "no anchor"),
        ("[" * 262_144, "deeper than 64 levels"),
        ("x: 1e999", "JSON cannot carry"),
    ],
)
async def test_nasty_documents_are_told_apart(tools: Served, document: str, message: str) -> None:
    answer = await validate(tools, document)
    assert [message in error["message"] for error in answer["errors"]] == [True]


async def test_a_file_has_the_name_of_a_task(tools: Served) -> None:
    for file in ("tasks/t.yml", "tasks/a b.yaml"):
        assert (await validate(tools, GOOD, file=file))["valid"] is False


async def test_a_plan_that_is_not_there_is_a_bad_request(tools: Served) -> None:
    response = await tools.post("/api/plans/validate", {"document": GOOD, "plan_name": "tolls"})
    assert response.status == 400
    assert response.json["type"] == "urn:aura:problem:bad-reference"
    assert "Did you mean 'tools'?" in response.json["detail"]


@pytest.mark.parametrize(
    "body",
    [{}, {"document": 5}, {"document": "x" * 262_145}, {"document": GOOD, "plan": "tools"}],
    ids=["none", "number", "long", "unknown"],
)
async def test_a_request_that_is_none_is_refused(tools: Served, body: Any) -> None:
    assert (await tools.post("/api/plans/validate", body)).status == 422


async def test_a_plan_may_be_called_validate(make_server: MakeServer, tmp_path: Path) -> None:
    write_plan(tmp_path / "plans", "validate", {"t": GOOD})
    server = await make_server(plans=[str(tmp_path / "plans")], start=False)
    assert (await server.get("/api/plans/validate")).json["task_count"] == 1
