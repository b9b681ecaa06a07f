"""Templates that try to get out or to use up a worker, in a real one: it refuses them, and goes on.

Imports PyYAML, the fixtures, `tests.serving` and the list of templates.
"""

from pathlib import Path

import yaml

from tests.conftest import MakeServer
from tests.engine.hostile import ESCAPES, EXPLOSIONS
from tests.serving import write_plan

GOOD = "steps: {say: {action: log, params: {message: '{{ 1 + 1 }}'}}}\nreturns: '{{ 1 + 1 }}'\n"


async def test_a_worker_refuses_hostile_templates_and_goes_on(
    make_server: MakeServer, tmp_path: Path
) -> None:
    tasks = {f"t{number}": source for number, source in enumerate([*ESCAPES, *EXPLOSIONS])}
    steps = {"say": {"action": "log", "params": {"message": "x"}}}
    files = {
        name: yaml.safe_dump({"steps": steps, "returns": source}) for name, source in tasks.items()
    }
    root = tmp_path / "plans"
    write_plan(root, "hostile", {**files, "good": GOOD})
    server = await make_server(plans=[str(root)], workers=1)
    errors = (await server.get("/api/plans/hostile")).json["load_errors"]
    assert {error["path"] for error in errors} == {"returns"}
    refused_at_load = {Path(error["file"]).stem for error in errors}
    left = [name for name in tasks if name not in refused_at_load]
    assert len(left) > len(EXPLOSIONS) / 2
    assert (await server.done("hostile", "good"))["result"] == 2
    (before,) = (await server.get("/api/system/status")).json["workers"]
    batch = {"tasks": [{"plan_name": "hostile", "task_name": name} for name in left]}
    items = (await server.post("/api/tasks/batch", batch)).json["items"]
    for name, item in zip(left, items, strict=True):
        run = await server.finished(item["cid"], within=100)
        assert run["status"] == "failed", (tasks[name][:200], run)
        assert run["error"]["type"] == "TemplateFailed", (tasks[name][:200], run)
        assert run["error"]["message"].startswith("returns: ")
        assert run["attempt"] == 1
    (after,) = (await server.get("/api/system/status")).json["workers"]
    assert (after["name"], after["pid"]) == (before["name"], before["pid"])
    assert (await server.done("hostile", "good"))["result"] == 2
