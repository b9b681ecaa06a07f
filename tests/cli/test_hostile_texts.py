"""Texts of plans, clients and files that would steer a terminal: no command prints them raw.

Imports pytest, tests/cli/command.py and `tests.serving`.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Aura, ServerProcess
from tests.serving import write_plan

RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")
BAD = "\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp.exe\u2066\r"
MARK = "gnp.exe"
TEXT = json.dumps(BAD)  # what YAML reads as the same text
TASK = f"""
meta:
  title: {TEXT}
  description: {TEXT}
  inputs: [{{name: text, type: string, default: {TEXT}, description: {TEXT}, label: {TEXT}}}]
steps:
  say: {{action: own, params: {{text: "{{{{ inputs.text }}}}"}}, step_note: {TEXT}}}
returns: "{{{{ inputs.text }}}}"
"""
ACTIONS = f'''
from aura_aio import action

@action
def own(context, text: str) -> None:
    """{json.dumps(BAD)[1:-1]}"""
    context.log(text)
    context.progress(0.5, text)
    raise ValueError(text)
'''
COMMANDS = [
    "plans", "plans show hostile", "plans show hostile task", "plans tasks hostile",
    "plans actions", "plans check PLANS", "runs", "runs show CID", "runs timeline CID", "logs",
    "logs CID", "logs -f CID", "schedules", "schedules show daily", "queue", "queue list", "audit",
    "system", "system recovery", "doctor --plans PLANS --port 0",
]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Aura, str, Path]]:
    """`aura`, a run that has failed, and the folder of plans."""
    folder = tmp_path_factory.mktemp("hostile")
    plans = folder / "plans"
    plan = write_plan(plans, "hostile", {"task": TASK}, ACTIONS)
    (plan / "manifest.yaml").write_text(f"package: {{name: hostile, title: {TEXT}}}", "utf-8")
    schedule = f"- {{id: daily, task: task, every: 3600, inputs: {{text: {TEXT}}}}}"
    (plan / "schedule.yaml").write_text(schedule, "utf-8")
    if sys.platform != "win32":  # where no file can be called so
        (plan / "tasks" / f"{BAD}.yaml").write_text("steps: {}", "utf-8")
    with ServerProcess(folder, "--port", "0", "--plans", str(plans)) as server:
        aura = Aura(server.url, folder)
        words = ["run", "hostile", "task", "-i", f"text={BAD}", "--label", f"note={BAD}"]
        aura(*words, "--wait")
        cid = aura("runs", "--json").json["items"][0]["cid"]
        aura("cancel", cid, "--reason", BAD)
        yield aura, cid, plans


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_nothing_steers_the_terminal(
    command: str, as_json: bool, place: tuple[Aura, str, Path]
) -> None:
    aura, cid, plans = place
    words = [{"CID": cid, "PLANS": str(plans)}.get(word, word) for word in command.split()]
    done = aura(*words, *(["--json"] if as_json else []))
    assert done.out + done.err
    assert not RAW.search(done.out), done.out
    assert not RAW.search(done.err), done.err


def test_the_texts_are_there(place: tuple[Aura, str, Path]) -> None:
    """Or nothing of the above would have been tried."""
    aura, cid, plans = place
    for words in (["plans"], ["plans", "show", "hostile", "task"], ["logs", cid]):
        assert MARK in aura(*words).out, words
    for words in (["runs", "show", cid], ["plans", "actions"], ["plans", "check", str(plans)]):
        assert MARK in aura(*words).out, words
