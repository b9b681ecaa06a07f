"""Plans as they were written for the earlier Aura: they load and run, with one line changed.

The plans stand in `earlier_plans/`; that line is the import of `action_info`.
"""

from pathlib import Path

import pytest

from tests.conftest import MakeServer
from tests.serving import Served
from tests.streams.clients import Monitor

EARLIER = Path(__file__).with_name("earlier_plans")


@pytest.fixture
async def earlier(make_server: MakeServer) -> Served:
    """A server with the earlier plans."""
    return await make_server(plans=[str(EARLIER)])


async def test_they_load_without_errors(earlier: Served) -> None:
    plans = {plan["name"]: plan for plan in (await earlier.get("/api/plans")).json["items"]}
    assert plans.keys() == {"reports", "toolbox"}
    assert plans["reports"]["version"] == "1.4.0"
    for name in plans:
        assert (await earlier.get(f"/api/plans/{name}")).json["load_errors"] == []
    tasks = (await earlier.get("/api/plans/reports/tasks")).json["items"]
    names = ["auth/login", "auth/logout", "reports/daily", "summary/summary"]
    assert [task["task_name_in_plan"] for task in tasks] == names


@pytest.mark.parametrize("name", ["reports/daily", "tasks:reports:daily.yaml"])
async def test_a_task_with_loops_conditions_and_actions_of_another_plan(
    earlier: Served, name: str
) -> None:
    run = await earlier.done("reports", name, inputs={"days": ["monday", "tuesday"]})
    assert run["result"] == {"total": "14.70", "checked": False}
    assert run["task_name"] == "reports/daily"
    messages = [entry["message"] for entry in await earlier.log(run["cid"])]
    assert {"2 orders on monday", "1 orders on tuesday"} <= set(messages)
    assert "1470 cents; add: SUCCESS" in messages
    long = {"days": ["monday"], "mode": "long", "limits": {"least": 100}}
    checked = await earlier.done("reports", name, inputs=long)
    assert checked["result"] == {"total": "11.20", "checked": True}


async def test_inputs_are_checked_as_they_were(earlier: Served) -> None:
    refused: list[dict[str, object]] = [
        {},
        {"days": []},
        {"days": ["monday"] * 8},
        {"days": ["monday"], "mode": "other"},
        {"days": ["monday"], "month": "may"},
    ]
    for inputs in refused:
        body = {"plan_name": "reports", "task_name": "reports/daily", "inputs": inputs}
        assert (await earlier.post("/api/tasks/run", body)).status == 400


@pytest.mark.parametrize("name", ["auth/login", "tasks:auth.yaml:login"])
async def test_tasks_in_one_file(earlier: Served, name: str) -> None:
    run = await earlier.done("reports", name, inputs={"user": "Ada"})
    assert run["result"] == {"user": "Ada", "days": 3}


@pytest.mark.parametrize("name", ["auth/logout", "tasks:auth.yaml:logout"])
async def test_an_action_by_author_plan_and_name(earlier: Served, name: str) -> None:
    run = await earlier.done("reports", name)
    assert run["result"] is True
    assert "somebody has left" in [entry["message"] for entry in await earlier.log(run["cid"])]


@pytest.mark.parametrize("name", ["summary", "summary/summary", "tasks:summary.yaml"])
async def test_a_task_that_is_called_as_its_file(earlier: Served, name: str) -> None:
    run = await earlier.done("reports", name)
    assert run.get("error") is None
    assert run["result"] == "0.00"
    assert run["task_name"] == "summary/summary"


async def test_an_action_that_fails_is_tried_again_by_the_short_form(earlier: Served) -> None:
    run = await earlier.done("reports", "reports/daily", inputs={"days": ["never"]})
    assert (run["status"], run["error"]["type"]) == ("failed", "KeyError")
    messages = [entry["message"] for entry in await earlier.log(run["cid"])]
    assert sum("Try " in message for message in messages) == 2


@pytest.mark.parametrize("name", ["reports/daily", "tasks:reports:daily.yaml"])
async def test_lists_and_streams_take_every_name_of_a_task(earlier: Served, name: str) -> None:
    daily = await earlier.done("reports", "reports/daily", inputs={"days": ["monday"]})
    other = await earlier.done("reports", "summary")
    listed = (await earlier.get(f"/api/runs?task_name={name}")).json["items"]
    assert [run["cid"] for run in listed] == [daily["cid"]]
    entries = (await earlier.get(f"/api/logs?task_name={name}&limit=1000")).json["items"]
    assert {entry["cid"] for entry in entries} == {daily["cid"]}
    query = {"task_name": name, "since": "0"}
    async with earlier.session.ws_connect(f"{earlier.url}/ws/logs", params=query) as ws:
        told = [
            message["payload"]
            for message in await Monitor(ws).up_to("caught_up")
            if message["type"] == "log"
        ]
    assert {entry["cid"] for entry in told} == {daily["cid"]}
    later = {"plan_name": "reports", "delay_sec": 600}
    waits = [
        (await earlier.post("/api/tasks/run", later | {"task_name": task, "inputs": inputs})).json
        for task, inputs in (("reports/daily", {"days": ["monday"]}), ("summary", {}))
    ]
    assert (await earlier.post("/api/tasks/cancel", {"task_name": name})).status == 202
    states = [(await earlier.get(f"/api/runs/{each['cid']}")).json["status"] for each in waits]
    assert states == ["cancelled", "queued"]
    assert other["status"] == "succeeded"
