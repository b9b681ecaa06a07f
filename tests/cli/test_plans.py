"""`aura plans` and `aura system`: what is loaded, and whether it runs.

Imports pytest and tests/cli/command.py.
"""

import shutil
from pathlib import Path

import pytest

from tests.cli.command import Aura
from tests.cli.conftest import StartServer
from tests.waiting import until_sync


def test_the_list_shows_plans_and_what_could_not_be_loaded(aura: Aura) -> None:
    title, *lines = aura.ok("plans").splitlines()
    assert title.split() == ["PLAN", "VERSION", "TASKS", "ERRORS", "TITLE"]
    rows = {line.split()[0]: line.split()[1:] for line in lines}
    assert rows["probe"] == ["2.1.0", "8", "0", "Probe"]
    assert rows["broken"][1:3] == ["1", "1"]
    assert "hello" in rows
    error = lines[-1]
    assert error.startswith("broken/tasks/bad.yaml:3:13: steps.say.action: ")
    assert "Did you mean 'log'?" in error
    names = [plan["name"] for plan in aura("plans", "--json").json["items"]]
    assert names == sorted(rows.keys() & names)


def test_a_task_that_did_not_load_is_not_just_missing(aura: Aura) -> None:
    said = (
        "Task 'bad' of plan 'broken' did not load, for what is wrong at tasks/bad.yaml:3:13: "
        "see the plan's load errors (aura plans show broken)."
    )
    for words in (["run", "broken", "bad"], ["run", "broken", "bad", "-i", "a=b"]):
        assert said in aura(*words).err
    assert "has no task 'bd'. There is: 'good'." in aura("run", "broken", "bd").err


def test_a_plan_with_its_tasks(aura: Aura) -> None:
    text = aura.ok("plans", "show", "probe")
    assert text.startswith("probe  2.1.0  Probe\nDoes what the tests")
    rows = {line.split("  ")[0]: line for line in text.splitlines()}
    assert rows["needs"].split() == ["needs", "who", "how?", "pin?", "at?", "Needs", "an", "input"]
    assert "deep/hold" in rows
    assert "bad.yaml:3:13: " in aura.ok("plans", "show", "broken")
    assert aura("plans", "show", "broken", "--json").json["load_errors"][0]["line"] == 3
    tasks = aura("plans", "tasks", "probe", "--json").json["items"]
    assert [task["task_name_in_plan"] for task in tasks] == sorted(
        ["break", "burst", "deep/hold", "door", "echo", "needs", "parent", "talk"]
    )


def test_a_task_with_its_inputs_and_steps(aura: Aura) -> None:
    text = aura.ok("plans", "show", "probe", "needs")
    rows = [line.split() for line in text.splitlines()]
    assert ["who", "string", "required"] in rows
    assert ["how", "string", '"low"', "one", "of", '"loud",', '"low"'] in rows
    assert ["at", "dict", "-", "with", "town,", "street?"] in rows
    assert ["pin", "string", "-", "secret;", "at", "least", "4", "characters"] in rows
    assert ["first", "log"] in rows
    assert ["second", "log", "first", "when"] in [row[:4] for row in rows]
    assert ["concurrency", "concurrent"] in rows
    assert ["timeout", "1", "m", "30", "s"] in rows
    assert text.endswith("To run it: aura run probe needs -i who=… --wait\n")


def test_a_task_in_a_folder(aura: Aura) -> None:
    assert aura("plans", "show", "probe", "deep/hold", "--json").json["full_task_id"] == (
        "probe/deep/hold"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plans", "show", "prob"], "Did you mean 'probe'?"),
        (["plans", "show", "probe", "ecko"], "Did you mean 'echo'?"),
        (["run", "probe", "ecko"], "Did you mean 'echo'?"),
        (["run", "prob", "echo", "-i", "text=x"], "Did you mean 'probe'?"),
        (["runs", "show", "nobody"], "There is no run with the cid 'nobody'."),
        (["cancel", "nobody"], "There is no run with the cid 'nobody'."),
        (["runs", "--cursor", "nonsense"], "cursor"),
    ],
)
def test_a_refusal_is_one_message_and_code_1(aura: Aura, words: list[str], said: str) -> None:
    done = aura(*words)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: ")
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_refusal_tells_each_fault_once(aura: Aura) -> None:
    done = aura("run", "probe", "needs", "-i", "how=very", "-i", "what=x")
    assert done.code == 1
    for fault in ("who: is required", "how: must be one of", "what: is not known"):
        assert done.err.count(fault) == 1, done.err


def test_a_refusal_lists_what_is_wrong_where(aura: Aura) -> None:
    labels = [f"--label={letter * 300}=v" for letter in "ab"]
    done = aura("run", "probe", "echo", *labels)
    assert done.code == 1
    first, *faults = done.err.splitlines()
    assert first.startswith("Error: The request has 2 faults.")
    assert [line[:16] for line in faults] == ["  body /labels/a", "  body /labels/b"]


def test_a_command_that_is_not_there_is_told_with_those_that_are(aura: Aura) -> None:
    for words, said in (
        (["plan"], "There is no command 'plan'. Did you mean 'plans'?"),
        (["runs", "shwo", "x"], "There is no command 'shwo'. Did you mean 'show'?"),
        (["queue", "x"], "There is no command 'x'. There is: "),
    ):
        done = aura(*words)
        assert done.code == 2
        assert said in done.err


def test_with_json_a_refusal_is_the_problem_on_stdout(aura: Aura) -> None:
    done = aura("plans", "show", "prob", "--json")
    assert done.code == 1
    assert done.json["status"] == 404
    assert done.json["detail"] in done.err


def test_system_stop_and_start(start_server: StartServer, tmp_path: Path) -> None:
    aura = Aura(start_server().url, tmp_path)
    until_sync(lambda: aura("system", "--json").json["state"] == "running", 20)
    status = aura.ok("system")
    assert status.startswith("state    running\n")
    until_sync(lambda: "worker up  worker=worker-1" in aura.ok("logs"), 20)
    assert "worker-1" in status
    stopped = aura.ok("system", "stop", "--mode", "cancel", "--timeout", "5")
    assert stopped == "No new run starts; none is active.\n"
    until_sync(lambda: aura("system", "status", "--json").json["state"] == "stopped", 20)
    cid = aura.ok("run", "probe", "echo").strip()
    assert "waits       the system is stopped\n" in aura.ok("runs", "show", cid)
    assert aura("system", "start", "--json").json["status"] == "started"
    assert aura("system", "start", "--json").json["status"] == "already_running"
    assert aura("runs", "show", cid, "--wait-sec", "20", "--json").json["status"] == "succeeded"


def test_system_reload(plans: Path, start_server: StartServer, tmp_path: Path) -> None:
    more = tmp_path / "more"
    shutil.copytree(plans / "broken", more / "again")
    aura = Aura(start_server("--plans", str(more)).url, tmp_path)
    assert "3 plans, 10 tasks loaded. 2 load errors" in aura.ok("system", "reload")
    (more / "again" / "tasks" / "bad.yaml").unlink()
    assert "1 load error:" in aura.ok("system", "reload", "--force")
    shutil.rmtree(more / "again")
    assert aura("system", "reload", "--json").json["plan_count"] == 2
    cid = aura.ok("run", "probe", "deep/hold", "-i", "until=/nonexistent/file").strip()
    until_sync(lambda: aura.status(cid) == "running", 20)
    refused = aura("system", "reload")
    assert refused.code == 1
    assert "A run is active: wait" in refused.err
    assert "aura system reload --force" in refused.err


def test_hot_reload_is_switched(start_server: StartServer, tmp_path: Path) -> None:
    aura = Aura(start_server().url, tmp_path)
    assert "edits are loaded at once" not in aura.ok("system")
    assert aura.ok("system", "hot-reload", "on") == "Edited plans are loaded at once.\n"
    assert "plans    edits are loaded at once" in aura.ok("system")
    assert aura("system", "hot-reload", "on", "--json").json["status"] == "already_enabled"
    assert aura.ok("system", "hot-reload", "off") == "Edited plans are loaded by a reload.\n"
    assert aura("system", "hot-reload", "maybe").code == 2
