"""`aura retry`: a finished run is done over.

Imports pytest's fixtures and tests/cli/command.py.
"""

from tests.cli.command import Aura


def test_a_run_is_done_over_with_other_inputs(aura: Aura) -> None:
    first = aura("run", "probe", "echo", "-i", "text=one", "--wait", "--json").json
    cid = aura.ok("retry", first["cid"], "-i", "text=two").strip()
    again = aura("runs", "show", cid, "--wait-sec", "20", "--json").json
    assert (again["retry_of"], again["inputs"]["text"]) == (first["cid"], "two")
    assert again["inputs"] | {"text": "one"} == first["inputs"]
    assert f"retry of    {first['cid']}" in aura.ok("runs", "show", cid)


def test_a_dry_run_shows_what_would_be_done(aura: Aura) -> None:
    cid = aura("run", "probe", "break", "--wait", "--json").json["cid"]
    assert "fall  run     It has failed." in aura.ok("retry", cid, "--from", "failed", "--dry-run")
    assert aura("retry", cid, "--dry-run", "--latest", "--json").json["retry_of"] == cid


def test_a_step_that_does_not_exist(aura: Aura) -> None:
    cid = aura("run", "probe", "break", "--wait", "--json").json["cid"]
    refused = aura("retry", cid, "--from", "fal")
    assert refused.code == 1
    assert "Did you mean 'fall'?" in refused.err
