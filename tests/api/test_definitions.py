"""The frozen definition of a run: what it was when the run was accepted, whatever came later."""

from pathlib import Path

from tests.conftest import MakeServer

TASK = "steps:\n  say:\n    action: log\n    params: {message: %s}\n"


async def test_a_run_keeps_its_definition(make_server: MakeServer, tmp_path: Path) -> None:
    file = tmp_path / "plans" / "notes" / "tasks" / "say.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(TASK % "before", "utf-8")
    server = await make_server(plans=[str(tmp_path / "plans")], start=False)
    cid = await server.run("notes", "say")
    file.write_text(TASK % "after", "utf-8")
    assert (await server.post("/api/system/reload")).status == 200
    later = await server.run("notes", "say")
    before = (await server.get(f"/api/runs/{cid}/definition")).json
    after = (await server.get(f"/api/runs/{later}/definition")).json
    assert before["document"]["steps"][0]["params"] == {"message": "before"}
    assert after["document"]["steps"][0]["params"] == {"message": "after"}
    assert before["definition_digest"] != after["definition_digest"]
    run = (await server.get(f"/api/runs/{cid}")).json
    assert run["definition_digest"] == before["definition_digest"]
    now = (await server.get("/api/plans/notes")).json["digest"]
    assert (await server.get(f"/api/runs/{later}")).json["plan_digest"] == now
    assert run["plan_digest"] != now
    assert (await server.get("/api/plans")).json["items"][0]["digest"] == now
    assert after["task"] == (await server.get("/api/plans/notes/tasks/say")).json


async def test_only_runs_have_definitions(make_server: MakeServer, tmp_path: Path) -> None:
    server = await make_server(plans=[str(tmp_path)], start=False)
    assert (await server.get("/api/runs/none/definition")).status == 404
