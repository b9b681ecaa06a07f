"""`aura schedules`: what is run by itself, made, changed, enabled, disabled and run now.

Imports pytest and tests/cli/command.py.
"""

from pathlib import Path

import pytest

from tests.cli.command import Aura
from tests.cli.conftest import StartServer


def test_the_list_shows_what_is_run_when(aura: Aura) -> None:
    title, *lines = aura.ok("schedules", "--plan", "probe").splitlines()
    assert title.split() == ["ID", "TASK", "WHEN", "NEXT", "LAST"]
    leap, rarely = (line.split() for line in lines)
    assert leap[:2] == ["probe/leap", "probe/echo"]
    assert " ".join(leap[2:8]) == "0 0 29 2 * Europe/Berlin"
    assert leap[8].endswith("-02-28")  # midnight in Berlin, as this clock has it
    assert rarely == ["probe/rarely", "probe/echo", "every", "30", "d", "disabled", "-"]
    listed = aura("schedules", "list", "--plan", "probe", "--json").json["items"]
    assert [each["id"] for each in listed] == ["probe/leap", "probe/rarely"]


def test_a_list_goes_on_where_the_one_before_ended(aura: Aura) -> None:
    done = aura("schedules", "list", "--limit", "1")
    assert "probe/rarely" not in done.out
    cursor = done.err.split()[-1]
    assert "probe/leap" not in aura.ok("schedules", "list", "--cursor", cursor)


def test_none_is_said(aura: Aura) -> None:
    done = aura("schedules", "--plan", "hello")
    assert (done.code, done.out) == (0, "")
    assert "No schedules" in done.err


def test_everything_about_one(aura: Aura) -> None:
    rows = [
        line.split(maxsplit=1) for line in aura.ok("schedules", "show", "probe/leap").splitlines()
    ]
    fields = dict(row for row in rows if len(row) == 2)
    assert fields["from"] == "schedule.yaml of the plan"
    assert fields["when"] == "0 0 29 2 * Europe/Berlin"
    assert fields["inputs"] == '{"text":"a day more"}'
    assert "up to 1 m 30 s" in aura.ok("schedules", "show", "probe/rarely")
    assert aura("schedules", "show", "probe/leap", "--json").json["catch_up"] == "latest"


def test_enabling_disabling_and_running_now(start_server: StartServer, tmp_path: Path) -> None:
    aura = Aura(start_server().url, tmp_path)
    assert aura.ok("schedules", "disable", "probe/leap") == "probe/leap is disabled.\n"
    assert not aura("schedules", "show", "probe/leap", "--json").json["enabled"]
    enabled = aura.ok("schedules", "enable", "probe/leap")
    assert enabled.startswith("probe/leap is enabled, and run next at 20")
    cid = aura.ok("schedules", "run", "probe/leap", "--idempotency-key", "once").strip()
    assert aura.ok("schedules", "run", "probe/leap", "--idempotency-key", "once").strip() == cid
    run = aura("runs", "show", cid, "--wait-sec", "20", "--json").json
    assert run["inputs"]["text"] == "a day more"
    assert cid in aura.ok("schedules", "show", "probe/leap")


def test_one_is_created_updated_and_deleted(aura: Aura) -> None:
    words = ["--cron", "30 4 29 2 *", "--timezone", "Europe/Berlin", "--catch-up", "latest"]
    words += ["-i", "text=7", "-i", "whole=7", "--jitter", "90s"]
    done = aura("schedules", "create", "probe", "echo", "--id", "mine", *words)
    assert (done.code, done.out) == (0, "mine\n")
    assert done.err.startswith("It is run next at 20")
    made = aura("schedules", "show", "mine", "--json").json
    assert made["cron"] == "30 4 29 2 *"
    assert (made["timezone"], made["catch_up"], made["overlap"]) == (
        "Europe/Berlin",
        "latest",
        "skip",
    )
    assert (made["inputs"], made["jitter_sec"]) == ({"text": "7", "whole": 7}, 90)

    changes = ["--every", "30d", "--overlap", "queue", "--inputs", "-"]
    done = aura("schedules", "update", "mine", *changes, stdin='{"number": 2}')
    assert (done.code, done.out) == (0, "mine is changed.\n")
    changed = aura("schedules", "show", "mine", "--json").json
    assert changed["every_sec"] == 30 * 86400
    assert "cron" not in changed
    assert (changed["inputs"], changed["overlap"]) == ({"number": 2}, "queue")
    done = aura("schedules", "update", "mine", "--task", "needs", "-i", "who=5", "--json")
    assert (done.json["task_name"], done.json["inputs"]) == ("needs", {"who": "5"})

    assert "mine" in aura.ok("schedules", "delete", "mine")
    assert aura("schedules", "show", "mine").code == 1


def test_one_that_is_created_disabled_is_left_alone(aura: Aura) -> None:
    done = aura("schedules", "create", "probe", "echo", "--every", "1h", "--disabled", "--json")
    id_ = done.json["id"]
    assert not done.json["enabled"]
    assert done.err == ""
    aura.ok("schedules", "delete", id_)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["create", "probe", "echo"], 2, "either with --cron or with --every"),
        (["create", "probe", "echo", "--cron", "0 0 * * *", "--every", "1h"], 2, "either with"),
        (["create", "probe", "echo", "--every", "soon"], 2, "'soon' is no span"),
        (["create", "probe", "echo", "--cron", "every day"], 1, "/cron"),
        (["create", "probe", "ecko", "--every", "1h"], 1, "Did you mean 'echo'?"),
        (["update", "probe/leap"], 2, "Say what is to be changed."),
        (["update", "probe/leap", "--every", "1h"], 1, "schedule.yaml"),
        (["delete", "probe/leap"], 1, "schedule.yaml"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    aura: Aura, words: list[str], code: int, said: str
) -> None:
    before = aura.ok("schedules", "--json")
    done = aura("schedules", *words)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert aura.ok("schedules", "--json") == before


@pytest.mark.parametrize("command", ["show", "enable", "disable", "run", "delete"])
def test_one_that_there_is_not_is_an_error(aura: Aura, command: str) -> None:
    done = aura("schedules", command, "probe/leep")
    assert done.code == 1
    assert "Did you mean 'probe/leap' or" in done.err
