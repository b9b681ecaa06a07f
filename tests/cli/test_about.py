"""`aura plans actions`, `aura system capabilities` and `aura system recovery`.

Imports pytest's fixtures and tests/cli/command.py.
"""

import aura_aio
from tests.cli.command import Aura


def test_actions_are_listed_with_what_they_take(aura: Aura) -> None:
    title, *lines = aura.ok("plans", "actions").splitlines()
    assert title.split() == ["ACTION", "PLAN", "TAKES", "WHAT", "IT", "DOES"]
    rows = {tuple(line.split()[:2]): line for line in lines}
    assert "seconds" in rows["sleep", "-"]
    assert "until" in rows["hold", "probe"]
    own = aura.ok("plans", "actions", "probe").splitlines()[1:]
    assert {line.split()[1] for line in own} == {"probe"}
    assert aura("plans", "actions", "nowhere").err == "Plan nowhere has no actions.\n"
    names = [each["name"] for each in aura("plans", "actions", "--json").json["items"]]
    assert {"log", "sleep", "hold"} <= set(names)


def test_capabilities_say_what_is_on_and_what_the_limits_are(aura: Aura) -> None:
    fields = dict(
        line.rsplit(maxsplit=1) for line in aura.ok("system", "capabilities").splitlines()
    )
    assert fields["version"] == aura_aio.__version__
    assert (fields["store"], fields["dispatcher"]) == ("sqlite", "local")
    assert (fields["shell"], fields["queue limit"]) == ("off", "1,000,000")
    assert aura("system", "capabilities", "--json").json["limits"]["queue_limit"] == 1_000_000


def test_recovery_says_what_the_start_has_found(aura: Aura) -> None:
    lines = aura.ok("system", "recovery").splitlines()
    assert [line.split()[0] for line in lines] == [
        "started",
        "took",
        "resumed",
        "restarted",
        "failed",
        "cancelled",
    ]
    assert lines[2].split() == ["resumed", "0", "runs"]
    assert aura("system", "recovery", "--json").json["failed"] == {"count": 0, "cids": []}
