"""What a person sees on a terminal: tables that fit, times of today, nothing that steers it.

Imports pytest, tests/cli/command.py and tests/cli/terminal.py.
"""

import re
import signal
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("needs the pseudo-terminals of POSIX", allow_module_level=True)

from tests.cli.command import Aura
from tests.cli.terminal import Terminal, on_terminal, unstyled

RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def test_a_table_fits_the_terminal_and_keeps_each_cid_whole(aura: Aura) -> None:
    cid = aura.run("echo", "--label", "case=terminal")
    for width, has_notes in ((80, False), (120, True)):
        lines = unstyled(on_terminal(aura, "runs", "--limit", "5", width=width)).splitlines()
        assert all(len(line) <= width for line in lines)
        assert any(line.startswith(f"{cid} ") for line in lines)
        assert ("NOTE" in lines[0]) == has_notes


def test_a_list_of_nothing_says_so(aura: Aura) -> None:
    assert "There are no tokens." in on_terminal(aura, "token", notes=True)


def test_statuses_have_colours_and_a_pipe_has_none(aura: Aura) -> None:
    cid = aura.run("echo")
    assert "\x1b[32msucceeded" in on_terminal(aura, "runs", "show", cid)
    assert "\x1b" not in aura.ok("runs", "show", cid)


def test_no_colour_when_asked_for(aura: Aura) -> None:
    plain = Aura(aura.url, aura.cwd, {"NO_COLOR": "1"})
    assert "\x1b[3" not in on_terminal(plain, "runs")


@pytest.mark.parametrize(
    "words",
    [["logs"], ["runs", "show"], ["runs", "--json", "-q"], ["logs", "--json"]],
    ids=" ".join,
)
def test_nothing_that_a_run_says_steers_the_terminal(aura: Aura, words: list[str]) -> None:
    bad = "\x1b]0;title\x07\x1b[2J\x9b31m\u202e"
    cid = aura.run("echo", "-i", f"text={bad}", "--label", f"note={bad}")
    output = on_terminal(aura, *words, cid, notes=True)
    assert "]0;title" in output
    assert not RAW.search(unstyled(output))
    assert "\x1b[2J" not in output
    assert "\x1b]" not in output


def test_waiting_shows_the_log_and_the_progress(aura: Aura) -> None:
    until = aura.cwd / "go"
    words = ["run", "probe", "deep/hold", "-i", f"until={until}", "--wait"]
    with Terminal(aura, *words, notes=True) as terminal:
        terminal.says("warming up")
        until.touch()
        assert terminal.ended() == 0
    output = unstyled(terminal.output)
    assert re.search(r"running +[\d.]+ m?s +wait +━+\S* +40% +warming up", output)
    assert "holding" in output
    assert re.search(r"succeeded after .*\ngo\n", output)


def test_ctrl_c_while_waiting_gives_the_terminal_back(aura: Aura) -> None:
    words = ["run", "probe", "deep/hold", "-i", "until=/nonexistent/file", "--wait"]
    with Terminal(aura, *words, notes=True) as terminal:
        terminal.says("warming up")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.ended() == 130
    assert terminal.output.rindex("\x1b[?25h") > terminal.output.rindex("\x1b[?25l")
    cancel = unstyled(terminal.output).split("To cancel it: aura ")[1].split()
    assert aura("cancel", cancel[1], "--json").json["status"] == "cancelling"


def test_json_is_indented_for_a_person(aura: Aura) -> None:
    cid = aura.run("echo")
    assert f'\n  "cid": "{cid}",\n' in on_terminal(aura, "runs", "show", cid, "--json")
