"""Four times what the server can take: it says so to the excess, takes the rest, and is then as it
was before.

Imports the fixtures, `tests.programs`, `tests.server_process` and `tests.serving`.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.programs import run_program
from tests.server_process import ServerProcess, server_process
from tests.serving import write_plan
from tests.waiting import until

if sys.platform != "linux":
    pytest.skip("memory is read from /proc", allow_module_level=True)

NOOP = {"noop": "steps:\n  one: {action: set, params: {x: 1}}\n"}
BODY = '{"plan_name": "noop", "task_name": "noop"}'
MOST_MORE_MIB = 128


async def flooded(url: str, *, measure: float, seconds: float) -> Any:
    command = [sys.executable, "-m", "tests.campaign.flood", url, "--body", BODY]
    command += ["--measure", str(measure), "--seconds", str(seconds), "--times", "4"]
    code, told = await run_program(*command)
    assert code == 0, told
    return json.loads(told.splitlines()[-1])


def most_memory_mib(server: ServerProcess) -> float:
    """The most that the server has had at a time."""
    text = Path(f"/proc/{server.process.pid}/status").read_text("utf-8")
    (kib,) = re.findall(r"^VmHWM:\s+(\d+) kB$", text, re.MULTILINE)
    return int(kib) / 1024


async def runs_in_store(server: ServerProcess) -> int:
    text = (await server.get("/metrics")).body.decode()
    return sum(int(float(n)) for n in re.findall(r'^aura_runs\{status="\w+"\} (\S+)$', text, re.M))


@pytest.mark.parametrize(
    ("measure", "seconds"),
    [
        pytest.param(1.0, 3.0, id="short"),
        pytest.param(5.0, 60.0, id="long", marks=[pytest.mark.slow, pytest.mark.timeout(300)]),
    ],
)
async def test_a_flood(tmp_path: Path, measure: float, seconds: float) -> None:
    write_plan(tmp_path / "plans", "noop", NOOP)
    plans = str(tmp_path / "plans")
    async with server_process(tmp_path / "data", plans, "--workers", "1") as server:
        before_mib = most_memory_mib(server)
        told = await flooded(server.url, measure=measure, seconds=seconds)
        flood = told["flood"]
        print(json.dumps(told | {"mib": [before_mib, most_memory_mib(server)]}))  # noqa: T201
        accepted = sum(each["statuses"].get("202", 0) for each in told.values())

        assert set(flood["statuses"]) == {"202", "503"}
        assert flood["without_retry_after"] == flood["cut_off"] == flood["unanswered"] == 0
        assert most_memory_mib(server) - before_mib < MOST_MORE_MIB
        assert set(told["after"]["statuses"]) == {"202"}
        assert await until(lambda: runs_in_store(server)) == accepted
        assert (await server.get("/readyz")).status == 200
        if seconds >= 60:
            assert flood["p99_sec"] < 1
            assert told["after"]["accepted_per_sec"] > told["before"]["accepted_per_sec"] / 2
