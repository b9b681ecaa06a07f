"""`aura runs timeline`: when the steps of a run ran.

Imports pytest's fixtures and tests/cli/command.py.
"""

from tests.cli.command import Aura


def test_each_step_has_its_status_begin_and_duration(aura: Aura) -> None:
    cid = aura.run("needs", "-i", "who=Ada")
    aura("runs", "show", cid, "--wait-sec", "20")
    title, first, second = aura.ok("runs", "timeline", cid).splitlines()
    assert title.split() == ["STEP", "STATUS", "BEGAN", "TOOK", "TRIES", "NOTE"]
    assert first.split()[:5] == ["first", "success", "+0", "ms", first.split()[4]]
    assert first.split()[5:] == ["ms", "1"]
    assert second.split() == ["second", "skipped", "-", "-", "-"]
    assert len(aura("runs", "timeline", cid, "--json").json["steps"]) == 2


def test_a_failed_step_says_why_and_a_kept_one_that_it_was(aura: Aura) -> None:
    cid = aura("run", "probe", "break", "--wait", "--json").json["cid"]
    told = aura.ok("runs", "timeline", cid)
    assert "failed" in told
    assert "It broke, as asked." in told


def test_each_call_of_a_step_with_tries_has_a_line(aura: Aura) -> None:
    cid = aura("run", "hello", "breakfast", "-i", "seconds=0", "--wait", "--json").json["cid"]
    lines = aura.ok("runs", "timeline", cid).splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("guest ")]
    assert lines[at].split()[1] == "success"
    calls = [line.split()[:3] for line in lines[at + 1 : at + 3]]
    assert calls == [["try", "1", "failed"], ["try", "2", "success"]]


def test_a_retry_shows_what_it_has_kept_and_is_found_by_its_run(aura: Aura) -> None:
    first = aura("run", "hello", "greet", "--wait", "--json").json["cid"]
    cid = aura.ok("retry", first, "--from", "failed").strip()
    aura("runs", "show", cid, "--wait-sec", "20")
    assert "kept from the run that is done over" in aura.ok("runs", "timeline", cid)
    _, *found = aura.ok("runs", "--retry-of", first).splitlines()
    assert [line.split()[0] for line in found] == [cid]


def test_a_run_that_has_not_begun(aura: Aura) -> None:
    cid = aura.ok("run", "probe", "echo", "--delay", "600").strip()
    assert aura("runs", "timeline", cid).err == "No step has begun.\n"
    aura.ok("cancel", cid)
    assert aura("runs", "timeline", "nobody").code == 1
