"""`aura runs`, `aura cancel` and `aura queue`: runs in lists, one by one, and in order.

Imports pytest and tests/cli/command.py.
"""

import urllib.request
from pathlib import Path

import pytest

from tests.cli.command import Aura
from tests.cli.conftest import StartServer
from tests.waiting import until_sync


def http(url: str) -> str:
    """The body that the server answers."""
    with urllib.request.urlopen(url) as response:
        body: bytes = response.read()
    return body.decode()


@pytest.fixture
def quiet(start_server: StartServer, tmp_path: Path) -> Aura:
    """`aura` for a server of its own that starts nothing."""
    return Aura(start_server("--no-start").url, tmp_path)


def test_the_list_is_aligned_with_the_newest_first(aura: Aura) -> None:
    cids = [aura.run("echo", "--label", "case=list") for _ in range(2)]
    failed = aura("run", "probe", "break", "--label", "case=list", "--wait", "--json").json["cid"]
    title, *rows = aura.ok("runs", "--label", "case=list").splitlines()
    assert title.split() == ["CID", "STATUS", "TASK", "CREATED", "TOOK", "NOTE"]
    assert [row.split()[:3] for row in rows] == [
        [failed, "failed", "probe/break"],
        [cids[1], "succeeded", "probe/echo"],
        [cids[0], "succeeded", "probe/echo"],
    ]
    assert "It broke, as asked." in rows[0]
    starts = [title.index(word) for word in ("STATUS", "TASK", "CREATED")]
    assert all(row[start - 1] == " " != row[start] for row in rows for start in starts)


def test_json_is_what_the_server_answers(aura: Aura) -> None:
    aura.run("echo", "--label", "case=json")
    answer = http(f"{aura.url}/api/runs?label=case%3Djson&include=inputs,result&limit=5")
    words = ["--label", "case=json", "--include", "inputs", "--include", "result", "--limit", "5"]
    assert aura.ok("runs", *words, "--json") == answer + "\n"


def test_filters(aura: Aura) -> None:
    cid = aura.run("echo", "--label", "case=filters", "--label", "kind=a")
    other = aura("run", "probe", "break", "--label", "case=filters", "--wait", "--json").json["cid"]

    def found(*words: str) -> list[str]:
        lines = aura.ok("runs", "list", "--label", "case=filters", *words).splitlines()
        return [line.split()[0] for line in lines[1:]]

    assert found() == [other, cid]
    assert found("--task", "echo") == [cid]
    assert found("--plan", "hello") == []
    assert found("--status", "failed", "--status", "timed_out") == [other]
    assert found("--label", "kind=a") == [cid]
    assert found("-q", cid[-8:]) == [cid]
    assert found("--created-after", "1h") == [other, cid]
    assert found("--created-before", "1h") == []
    assert found("--finished-after", "2020-01-01") == [other, cid]
    assert found("--limit", "1") == [other]


def test_a_cursor_goes_on_where_a_list_ended(aura: Aura) -> None:
    cids = [aura.run("echo", "--label", "case=cursor") for _ in range(3)]
    first = aura("runs", "--label", "case=cursor", "--limit", "2")
    assert [line.split()[0] for line in first.out.splitlines()[1:]] == cids[:0:-1]
    cursor = first.err.split()[-1]
    rest = aura.ok("runs", "--label", "case=cursor", "--cursor", cursor)
    assert [line.split()[0] for line in rest.splitlines()[1:]] == cids[:1]


def test_nothing_found_is_said_on_stderr(aura: Aura) -> None:
    done = aura("runs", "--plan", "nothing")
    assert (done.code, done.out, done.err) == (0, "", "No runs.\n")


def test_show_tells_everything_about_a_run(aura: Aura) -> None:
    words = ["-i", "text=\x1b[2Jshown", "--label", "case=show", "--timeout", "9", "--priority", "3"]
    cid = aura.run("echo", *words)
    text = aura.ok("runs", "show", cid)
    fields = {line[:12].strip(): line[12:] for line in text.splitlines() if line[0] != " "}
    assert fields["cid"] == cid
    assert fields["task"] == "probe/echo"
    assert fields["status"] == "succeeded"
    assert fields["priority"] == "3"
    assert fields["labels"] == "case=show"
    assert fields["timeout"] == "9.0 s"
    assert fields["attempt"].startswith("1 on worker-")
    assert "after" in fields["finished"]
    assert r'"text": "\u001b[2Jshown"' in text
    assert aura.ok("runs", "show", cid, "--json") == http(f"{aura.url}/api/runs/{cid}") + "\n"


def test_show_tells_why_a_run_failed(aura: Aura) -> None:
    cid = aura("run", "probe", "break", "--wait", "--json").json["cid"]
    assert "in step fall: It broke, as asked.\n" in aura.ok("runs", "show", cid)


def test_the_note_is_the_first_line_of_an_error(aura: Aura) -> None:
    done = aura("run", "probe", "break", "-i", "why=First line\nsecond line", "--wait", "--json")
    assert done.json["error"]["message"] == "First line\nsecond line"
    listed = aura.ok("runs", "--status", "failed", "--limit", "1")
    assert listed.splitlines()[1].endswith("Failed: First line")


def test_show_waits_for_the_end(aura: Aura) -> None:
    cid = aura.ok("run", "probe", "echo").strip()
    assert aura("runs", "show", cid, "--wait-sec", "20", "--json").json["status"] == "succeeded"


def test_times_are_local(aura: Aura) -> None:
    cid = aura.run("echo")
    created = aura("runs", "show", cid, "--json").json["created_at"]
    east = aura.process("runs", "show", cid, TZ="<+09>-09").out.splitlines()[3]
    utc = aura.process("runs", "show", cid).out.splitlines()[3]
    assert utc.split()[2] == created[11:19]
    assert int(east.split()[2][:2]) == (int(created[11:13]) + 9) % 24


def test_cancel_of_a_queued_run(aura: Aura) -> None:
    cid = aura.ok("run", "probe", "echo", "--delay", "600").strip()
    assert aura.ok("cancel", cid, "--reason", "by mistake").startswith("cancelled  ")
    shown = aura.ok("runs", "show", cid)
    assert "graceful, asked for" in shown
    assert ": by mistake\n" in shown
    again = aura("cancel", cid)
    assert again.code == 1
    assert "has already ended (cancelled)" in again.err


@pytest.mark.parametrize("words", [[], ["--kill"], ["--grace", "0.5"]])
def test_cancel_of_a_running_run(aura: Aura, words: list[str]) -> None:
    cid = aura.ok("run", "probe", "deep/hold", "-i", "until=/nonexistent/file").strip()
    until_sync(lambda: aura.status(cid) == "running", 20)
    assert aura("cancel", cid, *words, "--json").json["status"] == "cancelling"
    until_sync(lambda: aura.status(cid) == "cancelled", 20)


def test_the_queue_in_figures_and_in_order(quiet: Aura) -> None:
    cids = [quiet.ok("run", "probe", "echo", "--priority", f"{n}").strip() for n in (0, 5, 9)]
    quiet.ok("run", "probe", "echo", "--delay", "600")
    figures, _, table = quiet.ok("queue").partition("\n\n")
    lines = {line[:11].strip(): line[11:].strip() for line in figures.splitlines()}
    assert (lines["ready"], lines["delayed"], lines["running"]) == ("3", "1", "0")
    assert "probe: 4" in lines["by plan"]
    title, *rows = table.splitlines()
    assert title.split() == ["#", "CID", "PRIO", "TASK", "WAITS"]
    assert [row.split()[:3] for row in rows] == [
        ["1", cids[2], "9"],
        ["2", cids[1], "5"],
        ["3", cids[0], "0"],
    ]
    assert "the system is stopped" in rows[0]
    assert "1 run goes first" in rows[1]
    assert quiet("queue", "--json").json["ready_length"] == 3


def test_what_a_run_waits_for_is_said(start_server: StartServer, tmp_path: Path) -> None:
    aura = Aura(start_server().url, tmp_path)
    words = ("run", "probe", "door", "-i", f"until={tmp_path / 'go on'}")
    first = aura.ok(*words).strip()
    until_sync(lambda: aura.status(first) == "running", 20)
    second = aura.ok(*words).strip()
    (row,) = aura.ok("queue", "list").splitlines()[1:]
    assert row.split()[1] == second
    assert row.endswith("  enough runs of its task are active; its group is taken (door)")
    shown = aura.ok("runs", "show", second).splitlines()
    assert [line.split()[2:] for line in shown if line.startswith("blocked by")] == [[first]]


def test_priority_moves_a_run_in_the_queue(quiet: Aura) -> None:
    cids = [quiet.ok("run", "probe", "echo").strip() for _ in range(3)]
    assert "has the priority 1 now" in quiet.ok("queue", "priority", cids[2], "1")
    assert quiet("queue", "priority", cids[0], "-1", "--json").json["priority"] == -1
    listed = quiet("queue", "list", "--json").json["items"]
    assert [run["cid"] for run in listed] == [cids[2], cids[1], cids[0]]
    gone = quiet("queue", "priority", "019cadd4-0000-7000-8000-000000000000", "1")
    assert (gone.code, "There is no run" in gone.err) == (1, True)
    assert quiet("queue", "priority", cids[0], "200").code == 2


def test_the_queue_is_put_in_order_and_emptied(quiet: Aura) -> None:
    cids = [quiet.ok("run", "probe", "echo").strip() for _ in range(3)]
    assert "first of its priority" in quiet.ok("queue", "front", cids[2])
    quiet.ok("queue", "move", cids[2], "2")
    first = quiet.ok("run", "probe", "echo", "--index", "0").strip()
    assert _order(quiet) == [first, cids[0], cids[2], cids[1]]
    assert quiet.ok("queue", "order", cids[1], cids[2]) == "2 runs put in order.\n"
    assert _order(quiet) == [cids[1], cids[2], first, cids[0]]
    assert quiet.ok("queue", "remove", first) == "The run is cancelled.\n"
    assert "not queued any more" in quiet("queue", "remove", first).err
    asked = quiet("queue", "clear", stdin="n\n")
    assert (asked.code, "Cancel all queued runs?" in asked.err) == (1, True)
    assert quiet.ok("queue", "clear", "--plan", "probe", "--yes") == "3 runs cancelled.\n"
    assert _order(quiet) == []


def _order(aura: Aura) -> list[str]:
    return [run["cid"] for run in aura("queue", "list", "--json").json["items"]]


def test_a_pause_is_told_wherever_it_holds_something_up(quiet: Aura) -> None:
    assert quiet.ok("queue", "resume") == "Nothing is paused now.\n"
    how = "The queue is paused. Resume it with: aura queue resume\n"
    assert quiet.ok("queue", "pause") == how
    plan = "Plan probe is paused. Resume it with: aura queue resume --plan probe\n"
    assert quiet.ok("queue", "pause", "--plan", "probe") == how + plan
    started = quiet("system", "start")
    assert "the queue is paused: no run starts" in started.out
    for words in (["system"], ["queue"]):
        assert quiet(*words).err.startswith(how + plan), words
    with quiet.started("run", "probe", "echo", "-i", "text=hi", "--wait") as waits:
        until_sync(lambda: "It waits: its queue is paused" in waits.err, 20)
        assert quiet.ok("queue", "resume") == plan
        assert quiet.ok("queue", "resume", "--plan", "probe") == "Nothing is paused now.\n"
        assert waits.code() == 0
    assert quiet("system").err == ""
    assert quiet("queue", "pause", "--plan", "prob").code == 1


def test_the_delayed_runs_are_a_list_of_their_own(quiet: Aura) -> None:
    cid = quiet.ok("run", "probe", "echo", "--delay", "600").strip()
    assert quiet("queue", "list").err == "No runs are ready.\n"
    row = quiet.ok("queue", "list", "--state", "delayed").splitlines()[1]
    assert row.split()[:2] == ["-", cid]
    assert "delayed until 20" in row


def test_a_child_names_its_parent_and_is_found_by_it(aura: Aura) -> None:
    parent = aura.run("parent")
    (child,) = [line.split()[0] for line in aura.ok("runs", "--parent", parent).splitlines()[1:]]
    lines = (line.split(maxsplit=1) for line in aura.ok("runs", "show", child).splitlines())
    shown = {words[0]: words[1] for words in lines if len(words) == 2}
    assert (shown["parent"], shown["task"]) == (parent, "probe/echo")
    assert "parent " not in aura.ok("runs", "show", parent)
    assert aura("runs", "--parent", child).err == "No runs.\n"
