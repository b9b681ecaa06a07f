"""`aura batch`: many tasks with one request, from lines or a list of JSON.

Imports pytest and tests/cli/command.py.
"""

import json
from typing import Any

import pytest

from tests.cli.command import Aura

FIRST: dict[str, Any] = {"plan_name": "probe", "task_name": "echo", "inputs": {"text": "first"}}
LAST: dict[str, Any] = {**FIRST, "inputs": {"text": "last"}, "delay_sec": 3600}
MISTYPED = {"plan_name": "probe", "task_name": "ecko"}
INVALID = {**FIRST, "priority": "high", "delay_sec": -1}


def lines(*tasks: Any) -> str:
    """The tasks as a file has them line by line."""
    return "\n".join(map(json.dumps, tasks)) + "\n\n"


def texts(aura: Aura, printed: str) -> list[str]:
    """What the runs whose cids were printed were given, in the order of the cids."""
    found = [aura("runs", "show", cid, "--json").json for cid in printed.split()]
    return [run["inputs"]["text"] for run in found]


def test_the_tasks_of_a_file_run_and_their_cids_are_printed_in_order(aura: Aura) -> None:
    file = aura.cwd / "tasks.jsonl"
    file.write_text(lines(FIRST, LAST), "utf-8")
    assert texts(aura, aura.ok("batch", str(file))) == ["first", "last"]
    done = aura("batch", "-", stdin=json.dumps([LAST, FIRST], indent=2))
    assert (done.code, done.err) == (0, "")
    assert texts(aura, done.out) == ["last", "first"]


def test_what_is_refused_is_told_by_its_number_and_the_others_run(aura: Aura) -> None:
    done = aura("batch", "-", stdin=lines(FIRST, MISTYPED, INVALID, 5, LAST))
    assert done.code == 1
    assert texts(aura, done.out) == ["first", "last"]
    told = done.err.splitlines()
    assert told[0].startswith("task 2: ")
    assert "Did you mean 'echo'?" in told[0]
    assert told[1].startswith("task 3: ")
    assert {"/priority", "/delay_sec"} <= {word.strip(":") for word in done.err.split()}
    assert any(line.startswith("task 4: ") for line in told)
    answer = aura("batch", "-", "--json", stdin=lines(FIRST, MISTYPED))
    assert (answer.code, answer.json["failed_count"]) == (1, 1)


def test_all_or_nothing(aura: Aura) -> None:
    done = aura("batch", "-", "--atomic", stdin=lines(FIRST, MISTYPED))
    assert (done.code, done.out) == (1, "")
    assert "Did you mean 'echo'?" in done.err


def test_the_same_key_again_starts_nothing(aura: Aura) -> None:
    words = ["batch", "-", "--idempotency-key", "batch-once"]
    first = aura(*words, stdin=lines(FIRST))
    again = aura(*words, stdin=lines(FIRST))
    assert first.out == again.out
    assert first.err == ""
    assert "The key was used before" in again.err
    assert aura(*words, stdin=lines(LAST)).code == 1


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("{", 2, "neither a JSON list nor JSON line by line"),
        ("[{}", 2, "neither a JSON list nor JSON line by line"),
        ("", 1, "/tasks"),
        ("[]", 1, "/tasks"),
    ],
)
def test_a_file_without_tasks_is_an_error(aura: Aura, content: str, code: int, said: str) -> None:
    done = aura("batch", "-", stdin=content)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert aura("batch", "nowhere.jsonl").code == 2
