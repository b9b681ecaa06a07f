"""`aura serve --log-format json`: each line on stderr is an object, whoever has written it.

Imports pytest, tests/cli/command.py and `tests.serving`.
"""

import io
import json
import logging
import os
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from aura_aio.cli.server_log import log_to
from aura_aio.cli.stray_lines import stray_lines_logged
from aura_aio.model.access import SECRET_PREFIX
from aura_aio.model.asking import answering
from tests.cli.command import Started, environment
from tests.serving import write_plan
from tests.waiting import until_sync

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ACTIONS = '''
import os
import subprocess
import sys

from aura_aio import action


@action
def stray() -> None:
    """Write past everything that is captured: as a library in C does, and a program."""
    os.write(2, b"from C\\n")
    subprocess.run([sys.executable, "-c", "raise ValueError('from a program')"], check=False)
'''

_log = logging.getLogger("aura.tests.cli")


def lines_of(text: str) -> list[Any]:
    """Every line is an object, or the test fails."""
    return [json.loads(line) for line in text.splitlines()]


def test_nothing_in_a_record_steers_a_terminal() -> None:
    stream = io.StringIO()
    message = "\x1b[2J\x9b31m\u202egnp.exe\u2028over"
    with log_to(stream, as_json=True):
        _log.warning(message)
    (line,) = lines_of(stream.getvalue())
    assert line["message"] == message
    assert stream.getvalue().isascii()


def test_a_record_is_an_object_with_its_fields() -> None:
    stream = io.StringIO()
    with log_to(stream, as_json=True), answering("r-1", TRACE):
        _log.warning(
            "worker lost\n%s",
            "really",
            extra={"action": "worker_lost", "cid": "c-1", "n": 3, "kind": KeyError},
        )
    (line,) = lines_of(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "aura.tests.cli",
        "message": "worker lost\nreally",
        "cid": "c-1",
        "request_id": "r-1",
        "trace_id": TRACE,
        "data": {"action": "worker_lost", "n": 3, "kind": "<class 'KeyError'>"},
    }


def test_a_traceback_is_in_the_same_line_and_a_token_in_none() -> None:
    stream = io.StringIO()
    secret = SECRET_PREFIX + 64 * "0"
    with log_to(stream, as_json=True):
        try:
            raise ValueError(f"bad {secret}")
        except ValueError:
            _log.exception("it failed with %s", secret)
    (line,) = lines_of(stream.getvalue())
    assert line["data"]["traceback"].startswith("Traceback (most recent call last):\n")
    assert "request_id" not in line
    assert secret not in stream.getvalue()


def test_what_goes_past_every_logger_becomes_records(caplog: pytest.LogCaptureFixture) -> None:
    with stray_lines_logged():
        os.write(2, b"one\n\ntwo \xff\nTraceback (most recent call last):\n  at a\n\n  at b\n")
        os.write(2, b"ValueError: no\nand on\n" + b"x" * 70_000 + b"\nno end")
    told = [(each.levelname, each.getMessage()) for each in caplog.records]
    assert told[:4] == [
        ("WARNING", "one"),
        ("WARNING", "two \\xff"),
        ("ERROR", "ValueError: no"),
        ("WARNING", "and on"),
    ]
    assert "".join(message for _, message in told[4:-1]) == "x" * 70_000
    assert told[-1] == ("WARNING", "no end")
    block = vars(caplog.records[2])["traceback"]
    assert block.splitlines()[1:] == ["  at a", "", "  at b", "ValueError: no"]


def test_every_line_of_a_server_is_an_object(tmp_path: Path) -> None:
    write_plan(tmp_path / "plans", "odd", {"stray": "steps: {it: {action: stray}}\n"}, ACTIONS)
    words = ["serve", "--port", "0", "--workers", "1", "--log-format", "json", "--json"]
    words += ["--plans", str(tmp_path / "plans")]
    with Started(*words, cwd=tmp_path, env=environment()) as command:
        until_sync(lambda: command.out.endswith("\n"), within=30)
        url = json.loads(command.out)["url"]
        headers = {"X-Request-ID": "mine", "traceparent": f"00-{TRACE}-{SPAN}-01"}
        _post(f"{url}/api/tasks/run", {"plan_name": "odd", "task_name": "stray"}, headers)
        until_sync(lambda: "from a program" in command.err, within=30)
        _post(f"{url}/api/auth/tokens", {"scope": "admin", "name": "Ada"}, headers)
        command.interrupt()
        assert command.code() == 0
    lines = lines_of(command.err)
    found = {(each["logger"], each["message"]): each for each in lines}
    assert ("aura.scheduler.system", "system started") in found
    assert found["stderr", "from C"]["level"] == "warning"
    assert "Traceback" in found["stderr", "ValueError: from a program"]["data"]["traceback"]
    made = found["aura.scheduler.access", "token created"]
    assert (made["request_id"], made["trace_id"]) == ("mine", TRACE)
    assert "request_id" not in found["aura.dispatch.local", "worker up"]


def test_why_a_server_does_not_start_is_an_object_too(tmp_path: Path) -> None:
    words = ["serve", "--port", "0", "--log-format", "json", "--host", "0.0.0.0"]
    with Started(*words, cwd=tmp_path, env=environment()) as command:
        assert command.code() == 1
    (line,) = lines_of(command.err)
    assert line["level"] == "critical"
    assert "would ask everybody for a token" in line["message"]


def _post(url: str, body: Any, headers: dict[str, str]) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as response:
        assert response.status < 300
