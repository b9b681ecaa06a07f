"""`aura logs`: stored entries, and what comes.

Imports pytest and tests/cli/command.py.
"""

import json
from pathlib import Path
from typing import Any

from tests.cli.command import Aura
from tests.cli.conftest import StartServer


def entries(text: str) -> list[Any]:
    """The entries that `--json` prints, one a line."""
    return [json.loads(line) for line in text.splitlines()]


def test_the_log_of_a_run_line_by_line(aura: Aura) -> None:
    cid = aura.run("talk")
    lines = aura.ok("logs", cid).splitlines()
    first = next(number for number, line in enumerate(lines) if line.endswith("before  before it"))
    assert lines[first + 1 : first + 5] == [
        lines[first + 1][:24] + "DEBUG talk  quiet",
        lines[first + 2][:24] + 'INFO  talk  first  answer=42  note="two words"',
        "    second  line",
        lines[first + 4][:24] + "WARN  talk  careful",
    ]
    assert lines[first + 5].endswith(
        r"talk  \x1b]0;title\x07\x1b[2Jclear\x9b31m\u202egnp.exe red\x0dover"
    )


def test_json_prints_each_entry_of_the_log_as_a_line(aura: Aura) -> None:
    cid = aura.run("talk")
    found = entries(aura.ok("logs", cid, "--json"))
    assert {entry["cid"] for entry in found} == {cid}
    assert [entry["seq"] for entry in found] == sorted({entry["seq"] for entry in found})
    talk = [entry["message"] for entry in found if entry.get("step") == "talk"]
    assert talk[:3] == ["quiet", "first\nsecond\tline", "careful"]
    assert talk[3] == "\x1b]0;title\x07\x1b[2Jclear\x9b31m\u202egnp.exe \x1b[31mred\x1b[0m\rover"


def test_filters(aura: Aura) -> None:
    cid = aura.run("talk")
    everything = entries(aura.ok("logs", cid, "--json"))

    def found(*words: str) -> list[Any]:
        return entries(aura.ok("logs", cid, "--json", *words))

    assert found("--level", "warning") == [e for e in everything if e["level"] == "warning"] != []
    assert found("--step", "before") == [e for e in everything if e.get("step") == "before"] != []
    assert found("--since", str(everything[1]["seq"])) == everything[2:]
    assert found("--tail", "2") == everything[-2:]


def test_without_a_cid_the_last_entries_of_everything(aura: Aura) -> None:
    cid = aura.run("burst", "-i", "count=150")
    found = entries(aura.ok("logs", "--json"))
    assert len(found) == 100
    assert cid in {entry.get("cid") for entry in found}
    assert len(entries(aura.ok("logs", "--json", "--tail", "7"))) == 7
    after = found[90]["seq"]
    assert {
        entry["seq"] > after for entry in entries(aura.ok("logs", "--json", "--since", f"{after}"))
    } == {True}


def test_lines_of_several_runs_say_which_run_they_belong_to(aura: Aura) -> None:
    cid = aura.run("echo", "-i", "text=whose line")
    lines = aura.ok("logs", "--tail", "500").splitlines()
    assert any(f"probe/echo …{cid[-6:]} say  whose line" in line for line in lines)


def test_a_long_log_is_complete(aura: Aura) -> None:
    cid = aura.run("burst", "-i", "count=20000")
    found = [e["message"] for e in entries(aura.ok("logs", cid, "--json", "--step", "burst"))]
    assert [line for line in found if line.startswith("line ")] == [
        f"line {number}" for number in range(20_000)
    ]


def test_follow_shows_what_comes_and_ends_with_the_run(aura: Aura) -> None:
    until = aura.cwd / "go"
    cid = aura.ok("run", "probe", "deep/hold", "-i", f"until={until}").strip()
    with aura.started("logs", cid, "--follow") as command:
        command.says("holding")
        assert command.process.poll() is None
        until.touch()
        assert command.code() == 0
    assert command.err == "The run has ended: succeeded\n"


def test_follow_goes_on_over_a_restart_of_the_server(
    start_server: StartServer, tmp_path: Path
) -> None:
    first = start_server()
    port = int(first.url.rpartition(":")[2])
    aura = Aura(first.url, tmp_path)
    aura.run("echo", "-i", "text=before the crash")
    with aura.started("logs", "--follow", "--since", "0", "--json") as command:
        command.says("before the crash")
        first.kill()
        start_server(port=port)
        aura.run("echo", "-i", "text=after the crash")
        command.says("after the crash")
        command.interrupt()
        assert command.code() == 130
    found = entries(command.out)
    assert [entry["seq"] for entry in found] == sorted({entry["seq"] for entry in found})
    said = [entry["message"] for entry in found if entry.get("step") == "say"]
    assert said == ["before the crash", "after the crash"]
    assert command.err.count("trying again") == 1


def test_what_is_wrong_is_said(aura: Aura) -> None:
    unknown = aura("logs", "019cadd4-0000-7000-8000-000000000000")
    assert (unknown.code, unknown.out) == (1, "")
    assert "There is no run with the cid '019cadd4-0000-7000-8000-000000000000'." in unknown.err
    too_long = aura("logs", "x" * 65)
    assert too_long.code == 1
    assert "cid" in too_long.err
    assert aura("logs", "--level", "loud").code == 2
    assert aura("logs", "--level", "warn").code == 0
    assert aura("logs", "--step", "say").code == 2


def test_entries_that_a_slow_reader_loses_are_fetched_again(
    start_server: StartServer, tmp_path: Path
) -> None:
    aura = Aura(start_server("--monitor-buffer-lines", "1").url, tmp_path)
    with aura.started("logs", "--follow", "--since", "0", "--json") as command:
        cid = aura.run("burst", "-i", "count=5000")
        command.says('"line 4999"')
        command.process.kill()
        command.code()
    assert aura("system", "--json").json["log_stream"]["dropped_entries"] > 0
    said = [entry["message"] for entry in entries(command.out) if entry.get("cid") == cid]
    assert [line for line in said if line.startswith("line ")] == [
        f"line {number}" for number in range(5000)
    ]
