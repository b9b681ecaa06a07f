"""Schedules over HTTP: of plans and of clients, and what they start on a real server."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.test_errors import _problem
from tests.conftest import MakeServer
from tests.serving import Served, serving, write_plan
from tests.tokens import a_token, bearer, put_tokens
from tests.waiting import until

URL = "/api/schedules"
TASKS = {
    "greet": """
meta: {inputs: [{name: name, type: string, default: world}]}
steps: {a: {action: log, params: {message: "{{ initial.trigger }}"}}}
returns:
  name: "{{ inputs.name }}"
  trigger: "{{ initial.trigger }}"
  detail: "{{ initial.schedule }}"
""",
    "follow": """
on: [{event: run.finished, task: greet}]
steps: {a: {action: log, params: {message: x}}}
returns: {after: "{{ initial.event.cid }}", status: "{{ initial.event.status }}"}
""",
}
SCHEDULES = """
nightly:
  task: greet
  cron: "30 4 * * *"
  timezone: Europe/Berlin
  inputs: {name: Ada}
  catch_up: all
often: {task: greet, every: 1h, enabled: false}
"""
DAILY = {"plan_name": "plan", "task_name": "greet", "cron": "0 4 * * *"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a plan with schedules."""
    folder = write_plan(tmp_path / "plans", "plan", TASKS)
    (folder / "schedule.yaml").write_text(SCHEDULES, "utf-8")
    return folder.parent


@pytest.fixture
async def server(make_server: MakeServer, root: Path) -> Served:
    """A server that runs it."""
    return await make_server(plans=[str(root)])


@pytest.fixture
async def stopped(make_server: MakeServer, root: Path) -> Served:
    """A server that runs nothing, but its schedules go on."""
    return await make_server(plans=[str(root)], start=False)


def path(id_: str, more: str = "") -> str:
    return f"{URL}/{quote(id_, safe='')}{more}"


async def patch(server: Served, id_: str, **changes: Any) -> Any:
    return await server.request("PATCH", path(id_), json=changes)


async def delete(server: Served, id_: str) -> Any:
    return await server.request("DELETE", path(id_))


async def test_schedules_of_plans_are_listed_as_they_are(stopped: Served) -> None:
    nightly, often = (await stopped.get(URL)).json["items"]
    assert nightly.pop("next_run_at").endswith(("02:30:00.000000Z", "03:30:00.000000Z"))
    assert nightly == {
        "id": "plan/nightly",
        "source": "plan",
        "plan_name": "plan",
        "task_name": "greet",
        "cron": "30 4 * * *",
        "timezone": "Europe/Berlin",
        "inputs": {"name": "Ada"},
        "enabled": True,
        "overlap": "skip",
        "catch_up": "all",
        "jitter_sec": 0,
    }
    assert (often["every_sec"], often["enabled"]) == (3600, False)
    assert not often.keys() & {"cron", "timezone", "next_run_at", "last_cid", "last_outcome"}
    assert (await stopped.get(path("plan/often"))).json == often


async def test_a_schedule_is_created_and_found_again(stopped: Served) -> None:
    created = await stopped.post(URL, {**DAILY, "id": "mine", "inputs": {"name": "Bo"}})
    assert created.status == 201
    assert created.headers["Location"] == f"{URL}/mine"
    assert created.json["source"] == "api"
    assert created.json["next_run_at"].endswith("T04:00:00.000000Z")
    assert (await stopped.get(f"{URL}/mine")).json == created.json
    assert [each["id"] for each in (await stopped.get(URL)).json["items"]] == [
        "mine", "plan/nightly", "plan/often",
    ]  # fmt: skip
    nameless = (await stopped.post(URL, {**DAILY, "task_name": "tasks:greet.yaml"})).json
    assert nameless["id"]
    assert nameless["task_name"] == "greet"


async def test_a_list_of_schedules_has_pages_and_a_filter(stopped: Served) -> None:
    for number in range(5):
        assert (await stopped.post(URL, {**DAILY, "id": f"s{number}"})).status == 201
    first = await stopped.get(f"{URL}?limit=4")
    assert [each["id"] for each in first.json["items"]] == [
        "plan/nightly", "plan/often", "s0", "s1",
    ]  # fmt: skip
    cursor = first.json["next_cursor"]
    second = await stopped.get(f"{URL}?limit=4&cursor={cursor}")
    assert [each["id"] for each in second.json["items"]] == ["s2", "s3", "s4"]
    assert "next_cursor" not in second.json
    assert (await stopped.get(f"{URL}?plan_name=other")).json["items"] == []
    assert len((await stopped.get(f"{URL}?plan_name=plan")).json["items"]) == 7
    _problem(await stopped.get(f"{URL}?cursor=x"), 400, "bad-cursor")


async def test_what_a_client_made_survives_a_restart(root: Path, tmp_path: Path) -> None:
    settings = {"data_dir": str(tmp_path / "data"), "plans": [str(root)], "start": False}
    whole = {
        "plan_name": "plan", "task_name": "greet", "every_sec": 86_400, "enabled": False,
        "inputs": {"name": "Zoë"}, "overlap": "queue", "catch_up": "latest", "jitter_sec": 1.5,
    }  # fmt: skip
    async with serving(**settings) as server:
        await server.post(URL, {**whole, "id": "mine"})
        await patch(server, "plan/often", enabled=True)
        await patch(server, "plan/nightly", enabled=False)
        before = (await server.get(URL)).json
        assert before["items"][0] == {**whole, "id": "mine", "source": "api"}
    async with serving(**settings) as server:
        assert (await server.get(URL)).json == before


@pytest.mark.parametrize(
    ("change", "field", "part"),
    [
        ({"cron": "61 * * * *"}, "/cron", "no cron expression"),
        ({"cron": "@daily"}, "/cron", "wrong number of fields"),
        ({"timezone": "Europe/Berln"}, "/timezone", "Did you mean 'Europe/Berlin'"),
        ({"timezone": "../../etc/passwd"}, "/timezone", "no time zone"),
        ({"every_sec": 60}, "/every_sec", "Excludes cron"),
        ({"overlap": "wait"}, "/overlap", "one of"),
        ({"jitter_sec": -1}, "/jitter_sec", "greater than or equal to 0"),
        ({"id": "a/b"}, "/id", "Must match"),
        ({"cron": None}, "/cron", "null"),
        ({"surprise": 1}, "/surprise", "no such property"),
        ({"every": 60}, "/every", "no such property. Did you mean 'every_sec'?"),
    ],
)
async def test_a_schedule_that_is_none_is_a_422_with_the_field(
    stopped: Served, change: dict[str, Any], field: str, part: str
) -> None:
    problem = _problem(await stopped.post(URL, {**DAILY, **change}), 422, "invalid-request")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert part in problem["errors"][0]["message"]
    assert len((await stopped.get(URL)).json["items"]) == 2


async def test_a_schedule_needs_a_time(stopped: Served) -> None:
    body = {"plan_name": "plan", "task_name": "greet"}
    problem = _problem(await stopped.post(URL, body), 422, "invalid-request")
    assert "cron or every_sec" in problem["detail"]


async def test_a_schedule_of_what_there_is_not_is_a_400(stopped: Served) -> None:
    unknown = _problem(
        await stopped.post(URL, {**DAILY, "task_name": "gret"}), 400, "bad-reference"
    )
    assert "Did you mean 'greet'" in unknown["detail"]
    misfit = {**DAILY, "inputs": {"nme": "x"}}
    problem = _problem(await stopped.post(URL, misfit), 400, "inputs-rejected")
    assert problem["errors"][0]["field"] == "/inputs/nme"


async def test_an_id_is_taken_once(stopped: Served) -> None:
    assert (await stopped.post(URL, {**DAILY, "id": "mine"})).status == 201
    again = _problem(await stopped.post(URL, {**DAILY, "id": "mine"}), 409, "schedule-exists")
    assert "'mine'" in again["detail"]


async def test_what_there_is_not_is_a_404(stopped: Served) -> None:
    problem = _problem(await stopped.get(path("plan/nightli")), 404, "schedule-not-found")
    assert "Did you mean 'plan/nightly'" in problem["detail"]
    _problem(await patch(stopped, "nothing", enabled=True), 404, "schedule-not-found")
    _problem(await delete(stopped, "nothing"), 404, "schedule-not-found")
    _problem(await stopped.post(path("nothing", "/run")), 404, "schedule-not-found")


async def test_a_plans_schedule_can_only_be_enabled_and_disabled(stopped: Served) -> None:
    disabled = await patch(stopped, "plan/nightly", enabled=False)
    assert disabled.status == 200
    assert disabled.json["enabled"] is False
    assert "next_run_at" not in disabled.json
    enabled = await patch(stopped, "plan/nightly", enabled=True)
    assert "next_run_at" in enabled.json
    for changes in ({"cron": "0 5 * * *"}, {"enabled": False, "jitter_sec": 5}):
        problem = await patch(stopped, "plan/nightly", **changes)
        assert "schedule.yaml" in _problem(problem, 409, "schedule-read-only")["detail"]
    _problem(await delete(stopped, "plan/nightly"), 409, "schedule-read-only")
    assert (await stopped.get(path("plan/nightly"))).json == enabled.json
    assert (await patch(stopped, "plan/nightly")).json == enabled.json


async def test_a_clients_schedule_can_be_changed_in_part(stopped: Served) -> None:
    body = {**DAILY, "id": "mine", "timezone": "Europe/Berlin", "inputs": {"name": "Bo"}}
    created = (await stopped.post(URL, body)).json
    assert (await patch(stopped, "mine")).json == created
    assert (await patch(stopped, "mine", catch_up="all")).json == {**created, "catch_up": "all"}
    hourly = (await patch(stopped, "mine", every_sec=3600, inputs={})).json
    assert (hourly["every_sec"], hourly["inputs"]) == (3600, {})
    assert not hourly.keys() & {"cron", "timezone"}
    back = (await patch(stopped, "mine", cron="0 5 * * *")).json
    assert (back["cron"], back["timezone"]) == ("0 5 * * *", "Europe/Berlin")
    assert "every_sec" not in back
    misfit = await patch(stopped, "mine", inputs={"nme": "x"})
    _problem(misfit, 400, "inputs-rejected")
    _problem(await patch(stopped, "mine", timezone="Nowhere"), 422, "invalid-request")
    _problem(await patch(stopped, "mine", id="other"), 422, "invalid-request")
    assert (await stopped.get(f"{URL}/mine")).json == back


async def test_a_schedule_that_is_removed_is_gone(server: Served) -> None:
    await server.post(URL, {**DAILY, "id": "mine"})
    cid = (await server.post(f"{URL}/mine/run")).json["cid"]
    gone = await delete(server, "mine")
    assert gone.json["id"] == "mine"
    assert (await server.get(f"{URL}/mine")).status == 404
    assert (await server.finished(cid))["status"] == "succeeded"
    assert (await server.post(URL, {**DAILY, "id": "mine"})).status == 201


async def test_a_schedule_runs_at_its_time(server: Served) -> None:
    body = {"plan_name": "plan", "task_name": "greet", "every_sec": 1, "inputs": {"name": "Bo"}}
    await server.post(URL, {**body, "id": "mine"})

    async def has_run() -> Any:
        return (await server.get(f"{URL}/mine")).json.get("last_cid")

    run = await server.finished(await until(has_run, within=20))
    await delete(server, "mine")
    assert run["result"]["name"] == "Bo"
    assert run["result"]["trigger"] == "schedule"
    assert run["result"]["detail"]["id"] == "mine"
    assert run["result"]["detail"]["due_at"].endswith(".000000Z")


async def test_schedules_queue_runs_while_the_system_is_stopped(stopped: Served) -> None:
    body = {"plan_name": "plan", "task_name": "greet", "every_sec": 1}
    await stopped.post(URL, {**body, "id": "mine"})

    async def was_skipped() -> bool:
        state = (await stopped.get(f"{URL}/mine")).json
        return state.get("last_outcome") == "skipped" and "last_message" in state

    await until(was_skipped, within=20)
    (run,) = (await stopped.get("/api/runs")).json["items"]
    assert run["status"] == "queued"


async def test_a_schedule_is_run_now_whatever_time_it_is(server: Served) -> None:
    answer = await server.post(path("plan/often", "/run"))  # it is disabled
    assert answer.status == 202
    cid = answer.json["cid"]
    assert answer.headers["Location"] == f"/api/runs/{cid}"
    assert (await server.finished(cid))["result"]["trigger"] == "schedule"
    often = (await server.get(path("plan/often"))).json
    assert often["last_cid"] == cid
    assert "last_run_at" in often
    assert not often.keys() & {"last_outcome", "next_run_at"}


async def test_a_schedule_whose_task_is_gone_is_not_run(stopped: Served, root: Path) -> None:
    assert (await stopped.post(URL, {**DAILY, "id": "mine"})).status == 201
    (root / "plan" / "tasks" / "greet.yaml").unlink()
    await stopped.post("/api/system/reload")
    problem = _problem(await stopped.post(path("mine", "/run")), 400, "bad-reference")
    assert "greet" in problem["detail"]
    assert "last_cid" not in (await stopped.get(path("mine"))).json


async def test_a_schedule_that_is_run_now_with_a_key_is_run_once(stopped: Served) -> None:
    await stopped.post(URL, DAILY | {"id": "mine"})
    key = {"Idempotency-Key": "now"}
    first = await stopped.post(path("mine", "/run"), headers=key)
    assert "Idempotent-Replayed" not in first.headers
    latest = (await stopped.get(path("mine"))).json
    await stopped.request("PATCH", path("mine"), json={"task_name": "follow"})
    again = await stopped.post(path("mine", "/run"), headers=key)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.json, again.headers["Location"]) == (first.json, first.headers["Location"])
    assert (await stopped.get(path("mine"))).json["last_run_at"] == latest["last_run_at"]
    assert len((await stopped.get("/api/runs")).json["items"]) == 1
    other = await stopped.post(path("plan/often", "/run"), headers=key)
    assert (other.status, other.json["type"]) == (422, "urn:aura:problem:idempotency-mismatch")


async def test_a_reload_takes_the_schedules_as_they_are_now(stopped: Served, root: Path) -> None:
    (root / "plan" / "schedule.yaml").write_text("weekly: {task: greet, every: 7d}", "utf-8")
    await stopped.post("/api/system/reload", {"force": True})
    (weekly,) = (await stopped.get(URL)).json["items"]
    assert weekly["id"] == "plan/weekly"


async def test_the_end_of_a_run_starts_the_task_that_waits_for_it(server: Served) -> None:
    cid = await server.run("plan", "greet")

    async def follower() -> Any:
        found = (await server.get("/api/runs?task_name=follow")).json["items"]
        return found and found[0]["cid"]

    run = await server.finished(await until(follower, within=20))
    assert run["result"] == {"after": cid, "status": "succeeded"}


async def test_a_token_that_is_narrowed_to_plans_sees_their_schedules_only(
    make_server: MakeServer, root: Path, tmp_path: Path
) -> None:
    write_plan(root, "other", {"t": TASKS["greet"]})
    data_dir = tmp_path / "data"
    narrowed, whole = a_token("admin", "other"), a_token("admin")
    tokens = await put_tokens(data_dir, other=narrowed, all=whole)
    server = await make_server(plans=[str(root)], data_dir=str(data_dir), start=False)
    other = {"headers": bearer(tokens["other"])}
    assert (await server.get(URL, **other)).json["items"] == []
    nightly = path("plan/nightly")
    problem = _problem(await server.get(nightly, **other), 404, "schedule-not-found")
    assert "plan/" not in problem["detail"].replace("'plan/nightly'", "")
    for method, where, body in (
        ("PATCH", nightly, {"enabled": False}),
        ("DELETE", nightly, None),
        ("POST", f"{nightly}/run", None),
    ):
        refused = await server.request(method, where, json=body, **other)
        _problem(refused, 404, "schedule-not-found")
    _problem(await server.post(URL, DAILY, **other), 400, "bad-reference")
    own = {"id": "own", "plan_name": "other", "task_name": "t", "every_sec": 60}
    assert (await server.post(URL, own, **other)).status == 201
    moved = await server.request("PATCH", path("own"), json={"plan_name": "plan"}, **other)
    _problem(moved, 400, "bad-reference")
    assert [each["id"] for each in (await server.get(URL, **other)).json["items"]] == ["own"]
    everything = await server.get(URL, headers=bearer(tokens["all"]))
    assert len(everything.json["items"]) == 3
