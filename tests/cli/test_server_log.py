"""The log that `aura serve` writes to stderr.

Imports pytest and `cli.server_log`.
"""

import io
import logging
import re
import threading

import pytest

from aura_aio.cli.server_log import log_to
from aura_aio.model.access import SECRET_PREFIX

_log = logging.getLogger("aura.tests.cli")


class Stuck(io.StringIO):
    """A stream that takes nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def write(self, text: str) -> int:
        """Wait, then take it."""
        self.let_go.wait()
        return super().write(text)


@pytest.fixture
def stderr() -> Stuck:
    """What stands in for stderr."""
    return Stuck()


def test_a_record_is_a_line_with_its_fields(stderr: Stuck) -> None:
    stderr.let_go.set()
    with log_to(stderr):
        _log.warning(
            "worker lost",
            extra={"action": "worker_lost", "cid": "c-1", "note": "a b", "kind": KeyError, "n": 3},
        )
    line = stderr.getvalue()
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} WARN  aura\.tests\.cli  worker", line)
    assert line.endswith("""worker lost  cid=c-1  note="a b"  kind="<class 'KeyError'>"  n=3\n""")


def test_a_token_is_not_shown(stderr: Stuck) -> None:
    stderr.let_go.set()
    secret = SECRET_PREFIX + 64 * "0"
    with log_to(stderr):
        _log.warning("what is %s", secret, extra={"path": f"/?token={secret}"})
    assert "what is aura_…" in stderr.getvalue()
    assert secret not in stderr.getvalue()


def test_an_action_that_is_not_the_message_is_shown(stderr: Stuck) -> None:
    stderr.let_go.set()
    with log_to(stderr):
        _log.warning("here we are", extra={"action": "server_ready"})
    assert stderr.getvalue().endswith("  here we are  action=server_ready\n")


def test_a_traceback_is_indented_below_its_record(stderr: Stuck) -> None:
    stderr.let_go.set()
    with log_to(stderr):
        try:
            raise ValueError("\x1b[2Jbad")
        except ValueError:
            _log.exception("it failed", extra={"action": "failed"})
    first, *rest = stderr.getvalue().splitlines()
    assert first.endswith("ERROR aura.tests.cli  it failed  action=failed")
    assert rest[0] == "    Traceback (most recent call last):"
    assert rest[-1] == r"    ValueError: \x1b[2Jbad"


def test_what_goes_on_being_wrong_is_said_once_a_minute(stderr: Stuck) -> None:
    stderr.let_go.set()
    values = {"name": "aura.dispatch", "msg": "claims wait", "levelno": logging.ERROR}

    def complain(created: float, **extra: str) -> None:
        record = {**values, "reason": "away", "created": created, **extra}
        _log.handle(logging.makeLogRecord(record))

    with log_to(stderr):
        for second in range(0, 122, 2):
            complain(second)
            complain(second, worker=f"worker-{second // 30}")
        complain(-3_600.0)  # the clock was set back
        complain(-3_599.0)
        for _ in range(3):
            _log.warning("a record without a reason")
    lines = stderr.getvalue().splitlines()
    assert len([line for line in lines if line.endswith("claims wait  reason=away")]) == 4
    assert len([line for line in lines if line.endswith("worker=worker-2")]) == 1
    assert len([line for line in lines if line.endswith("without a reason")]) == 3


def test_a_stuck_terminal_holds_up_nobody_and_what_is_lost_is_counted(stderr: Stuck) -> None:
    with log_to(stderr):
        for number in range(10_500):
            _log.warning("record", extra={"number": number})
        stderr.let_go.set()
    lines = stderr.getvalue().splitlines()
    numbers = [int(line.rpartition("=")[2]) for line in lines if "number=" in line]
    assert numbers == list(range(len(numbers)))
    assert 10_000 <= len(numbers) <= 10_002
    lost = next(line for line in lines if "records were not written" in line)
    assert lost.endswith(f"count={10_500 - len(numbers)}")


def test_a_terminal_that_stays_stuck_does_not_hold_up_the_end(stderr: Stuck) -> None:
    with log_to(stderr):
        for _ in range(10_500):
            _log.warning("record")
    assert stderr.getvalue() == ""
    stderr.let_go.set()
