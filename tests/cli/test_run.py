"""`aura run`: inputs, options, and waiting for the end.

Imports pytest and tests/cli/command.py.
"""

import json
from pathlib import Path

import pytest

from tests.cli.command import Aura
from tests.cli.conftest import StartServer
from tests.waiting import until_sync


def test_without_wait_it_prints_the_cid_and_nothing_else(aura: Aura) -> None:
    done = aura("run", "probe", "echo")
    assert done.code == 0
    assert done.err == ""
    run = aura("runs", "show", done.out.strip(), "--json").json
    assert (run["plan_name"], run["task_name"]) == ("probe", "echo")


def test_json_without_wait_is_the_answer(aura: Aura) -> None:
    accepted = aura("run", "probe", "echo", "--json").json
    assert accepted.keys() == {"status", "message", "cid"}
    assert accepted["status"] == "queued"


def test_wait_shows_the_log_on_stderr_and_the_result_on_stdout(aura: Aura) -> None:
    done = aura("run", "probe", "echo", "-i", "text=good morning", "--wait")
    assert done.code == 0
    assert json.loads(done.out)["text"] == "good morning"
    header, *log, end = done.err.splitlines()
    assert header.startswith("probe/echo  ")
    assert [line.split()[2:] for line in log if "good morning" in line] == [
        ["INFO", "say", "good", "morning"]
    ]
    assert end.startswith("succeeded after ")


def test_wait_with_json_prints_the_run(aura: Aura) -> None:
    done = aura("run", "probe", "echo", "--wait", "--json")
    assert done.code == 0
    assert done.json["status"] == "succeeded"
    assert done.json["result"]["text"] == "quiet"


def test_a_text_result_is_printed_as_it_is(aura: Aura) -> None:
    assert aura.ok("run", "probe", "needs", "-i", "who=Ada\nGrace", "--wait") == "Ada\nGrace\n"


def test_wait_for_a_run_that_fails_is_code_1_with_the_error_last(aura: Aura) -> None:
    done = aura("run", "probe", "break", "--wait")
    assert done.code == 1
    assert done.out == ""
    *_, end, error = done.err.splitlines()
    assert end.startswith("failed after ")
    assert error.endswith("in step fall: It broke, as asked.")


def test_each_value_gets_the_type_that_the_task_asks_for(aura: Aura) -> None:
    words = ["text=5", "number=2", "whole=-3", "flag=yes", "names=5", "names=a,b", "sizes=[1, 2]"]
    words += ['table={"a": [true]}', "anything=[1]"]
    done = aura("run", "probe", "echo", *(f"-i{word}" for word in words), "--wait", "--json")
    assert done.json["inputs"] == {
        "text": "5",
        "number": 2,
        "whole": -3,
        "flag": True,
        "names": ["5", "a,b"],
        "sizes": [1, 2],
        "table": {"a": [True]},
        "anything": [1],
    }


def test_a_value_can_come_from_a_file(aura: Aura) -> None:
    (aura.cwd / "text.txt").write_text("from\na file ä", "utf-8")
    (aura.cwd / "table.json").write_text('{"n": 1}', "utf-8")
    words = ["-i", "text=@text.txt", "-i", "table=@table.json", "-i", "anything=@@home"]
    inputs = aura("run", "probe", "echo", *words, "--wait", "--json").json["inputs"]
    assert inputs["text"] == "from\na file ä"
    assert inputs["table"] == {"n": 1}
    assert inputs["anything"] == "@home"


def test_inputs_come_from_a_document_and_single_ones_replace_its_own(aura: Aura) -> None:
    document = json.dumps({"text": "document", "names": ["n"]})
    words = ["run", "probe", "echo", "--inputs", "-", "-i", "text=single", "--wait", "--json"]
    inputs = aura(*words, stdin=document).json["inputs"]
    assert (inputs["text"], inputs["names"]) == ("single", ["n"])
    file = aura.cwd / "inputs.json"
    file.write_text(document, "utf-8")
    words = ["run", "probe", "echo", "--inputs", str(file), "--wait", "--json"]
    assert aura(*words).json["inputs"]["text"] == "document"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-i", "text"], "'text' is not name=value"),
        (["-i", "number=many"], "number: 'many' is not a number"),
        (["-i", "flag=maybe"], "flag: 'maybe' is not true or false"),
        (["-i", "sizes=[1"], "sizes: '[1' is not a list (JSON)"),
        (["-i", "table=3"], "table: '3' is not an object (JSON)"),
        (["-i", "text=a", "-i", "text=b"], "text is given twice"),
        (["-i", "text=@missing.txt"], "text: missing.txt: No such file or directory\n"),
        (["--inputs", "-"], "not JSON"),
        (["--label", "team"], "'team' is not key=value"),
        (["--priority", "101"], "-100<=x<=100"),
        (["--priority", "high"], "'high' is not a valid integer."),
        (["--delay", "soon"], "'soon' is not a valid number."),
        (["--url", "nowhere"], "'nowhere' is no address of a server"),
    ],
)
def test_a_wrong_command_line_is_code_2_and_starts_nothing(
    aura: Aura, words: list[str], said: str
) -> None:
    done = aura("run", "probe", "echo", "--label", f"case={said[:9]}", *words)
    assert done.code == 2, done
    assert said in done.err
    assert done.out == ""


def test_options_reach_the_run(aura: Aura) -> None:
    words = ["--priority", "7", "--delay", "3600", "--timeout", "60"]
    words += ["--label", "team=research", "--label", "note=a=b"]
    cid = aura.ok("run", "probe", "echo", *words).strip()
    run = aura("runs", "show", cid, "--json").json
    assert run["priority"] == 7
    assert run["timeout_sec"] == 60
    assert run["labels"] == {"team": "research", "note": "a=b"}
    assert "run_at" in run
    aura.ok("cancel", cid)


def test_the_same_key_starts_one_run_only(aura: Aura) -> None:
    words = ["run", "probe", "echo", "--idempotency-key", f"key-{aura.cwd.name}"]
    first, second = aura(*words), aura(*words)
    assert first.out == second.out
    assert first.err == ""
    assert "nothing new started" in second.err
    other = aura(*words, "-i", "text=other")
    assert other.code == 1
    assert "Idempotency-Key" in other.err


def test_ctrl_c_leaves_the_run_alone_and_says_how_to_cancel_it(aura: Aura) -> None:
    until = aura.cwd / "go"
    words = [
        "run",
        "probe",
        "deep/hold",
        "-i",
        f"until={until}",
        "--label",
        "case=ctrl-c",
        "--wait",
    ]
    with aura.started(*words) as command:
        command.says("holding")
        command.interrupt()
        assert command.code() == 130
        cid = command.err.split()[1]
        assert f"The run goes on. To cancel it: aura cancel {cid}" in command.err
        assert "Traceback" not in command.err
    assert aura.status(cid) == "running"
    until.touch()
    until_sync(lambda: aura.status(cid) == "succeeded", 20)


def test_waiting_survives_a_restart_of_the_server(
    start_server: StartServer, tmp_path: Path
) -> None:
    first = start_server()
    port = int(first.url.rpartition(":")[2])
    aura = Aura(first.url, tmp_path)
    with aura.started("run", "probe", "echo", "--delay", "3", "--wait") as command:
        command.says("probe/echo")
        until_sync(lambda: aura("system", "status", "--json").json["log_stream"]["monitors"], 20)
        first.kill()
        command.says("trying again until the server answers")
        start_server(port=port)
        assert command.code() == 0
    assert command.err.count("trying again") == 1
    assert "quiet" in command.err


def test_inputs_that_are_too_large_are_refused_with_the_limit(aura: Aura, tmp_path: Path) -> None:
    (tmp_path / "large").write_text("x" * 600_000, "utf-8")
    refused = aura("run", "probe", "echo", "-i", f"text=@{tmp_path / 'large'}")
    assert refused.code == 1
    assert "524,288 are allowed (max_inputs_bytes)" in refused.err
    assert refused.out == ""
