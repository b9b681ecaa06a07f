"""`aura run --dry-run`: what a run would do.

Imports pytest's fixtures and tests/cli/command.py.
"""

from tests.cli.command import Aura


def test_a_dry_run_shows_inputs_and_steps_and_starts_nothing(aura: Aura) -> None:
    done = aura("run", "probe", "needs", "-i", "who=Ada Byron", "--label", "dry=run", "--dry-run")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].split() == ["task", "probe/needs"]
    assert '"how":"low"' in lines[1]
    assert lines[2].startswith("would wait")
    rows = {line.split()[0]: line for line in lines[4:]}
    assert rows["STEP"].split() == ["STEP", "ACTION", "OUTLOOK", "WHY"]
    assert rows["first"].split()[1:3] == ["log", "run"]
    assert rows["second"].split()[1:3] == ["log", "skip"]
    assert done.err == "Nothing was started.\n"
    assert aura("runs", "--label", "dry=run").err == "No runs.\n"


def test_a_dry_run_says_what_the_run_would_need(aura: Aura) -> None:
    told = aura.ok("run", "probe", "door", "-i", "until=x", "--dry-run")
    assert "mutex door (1 at a time)" in told
    assert "max_instances" in told


def test_a_dry_run_as_json_is_the_answer(aura: Aura) -> None:
    told = aura("run", "probe", "needs", "-i", "who=Ada", "--dry-run", "--json").json
    assert [step["node_id"] for step in told["steps"]] == ["first", "second"]


def test_a_dry_run_refuses_what_a_run_refuses(aura: Aura) -> None:
    refused = aura("run", "probe", "needs", "--dry-run")
    assert (refused.code, refused.out) == (1, "")
    assert "who" in refused.err
    assert aura("run", "probe", "needs", "-i", "who=x", "--dry-run", "--wait").code == 2
