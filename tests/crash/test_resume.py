"""Runs with `on_crash: resume` whose worker or server is killed: they go on from their finished
steps, and no step that finished is run twice.
"""

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.server_process import server_process
from tests.serving import Client, serving, write_plan
from tests.waiting import until

LINKS = 60

_ACTIONS = '''"""Actions that leave a line for each call, and some that end their process."""

import os
import signal
import time
from pathlib import Path

from aura_aio import ActionContext, action


def write(file: str, line: str) -> None:
    with Path(file).open("a", encoding="utf-8") as out:
        out.write(line + "\\n")


@action
def mark(file: str, line: str) -> str:
    """Append a line to a file."""
    write(file, line)
    return line


@action
async def mark_and_fail(file: str, line: str) -> None:
    """Append a line to a file, and fail."""
    write(file, line)
    raise ValueError(line)


@action
async def mark_and_die(context: ActionContext, file: str, line: str, attempts: int = 1) -> str:
    """Append a line to a file, and end the worker in the first `attempts` attempts."""
    write(file, line)
    if context.attempt <= attempts:
        os.kill(os.getpid(), signal.SIGKILL)
    return line


@action
def mark_and_hold(file: str, line: str, gate: str) -> str:
    """Append a line to a file, and wait for another one."""
    write(file, line)
    while not Path(gate).exists():
        time.sleep(0.01)
    return line


@action
def fork_and_die(context: ActionContext, gate: str) -> int:
    """Leave a process behind that has all that the worker had open, and end the worker."""
    if context.attempt == 1:
        if os.fork() == 0:
            os.setsid()  # what stays in the session of the worker ends with it
            ends = time.monotonic() + 30
            while not Path(gate).exists() and time.monotonic() < ends:
                time.sleep(0.01)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)
    return context.attempt
'''

_HEAD = """
meta:
  on_crash: resume
  inputs: [{name: file, type: string, required: true}, {name: gate, type: string}]
steps:
"""


def _mark(name: str, after: str = "", action: str = "mark", **more: str) -> str:
    params = {"file": '"{{ inputs.file }}"', "line": name, **more}
    listed = ", ".join(f"{key}: {value}" for key, value in params.items())
    tail = f", depends_on: {after}" if after else ""
    return f"  {name}: {{action: {action}, params: {{{listed}}}{tail}}}\n"


_TASKS = {
    "everything": _HEAD
    + _mark("first")
    + """
  not_now: {action: log, params: {message: x}, when: "{{ run.attempt > 1 }}", depends_on: first}
  tolerated:
    action: mark_and_fail
    params: {file: "{{ inputs.file }}", line: tolerated}
    depends_on: not_now
  each:
    action: mark
    loop: {for_each: [x, y], parallelism: 2}
    params: {file: "{{ inputs.file }}", line: "each-{{ loop.item }}"}
    outputs: {line: "{{ result }}"}
    depends_on: {tolerated: failed}
"""
    + _mark("dies", "each", "mark_and_die")
    + _mark("last", "dies")
    + """
returns:
  lines: ["{{ nodes.first.output }}", "{{ nodes.each.line }}", "{{ nodes.dies.output }}"]
  states: "{{ nodes.not_now.run_state.status }} {{ nodes.tolerated.run_state.error.message }}"
  attempt: "{{ run.attempt }}"
""",
    "poison": _HEAD + _mark("first") + _mark("dies", "first", "mark_and_die", attempts="9"),
    "held": _HEAD
    + _mark("first")
    + _mark("holds", "first", "mark_and_hold", gate='"{{ inputs.gate }}"')
    + _mark("last", "holds"),
    "chain": _HEAD
    + _mark("n1")
    + "".join(_mark(f"n{number}", f"n{number - 1}") for number in range(2, LINKS + 1)),
    "orphan": _HEAD + '  it: {action: fork_and_die, params: {gate: "{{ inputs.gate }}"}}\n',
}


@pytest.fixture
def plans(tmp_path: Path) -> str:
    """The folder of the plan `relay`."""
    write_plan(tmp_path / "plans", "relay", _TASKS, _ACTIONS)
    return str(tmp_path / "plans")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the actions leave their lines."""
    return tmp_path / "lines"


def lines(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


async def test_a_run_whose_worker_dies_in_a_step_goes_on_from_there(
    make_server: MakeServer, plans: str, file: Path
) -> None:
    server = await make_server(plans=[plans])
    run = await server.done("relay", "everything", inputs={"file": str(file)})
    assert run["status"] == "succeeded"
    assert run["attempt"] == 2
    assert run["result"] == {
        "lines": ["first", ["each-x", "each-y"], "dies"],
        "states": "SKIPPED tolerated",
        "attempt": 2,
    }
    assert Counter(lines(file)) == {
        "first": 1,
        "tolerated": 1,
        "each-x": 1,
        "each-y": 1,
        "dies": 2,
        "last": 1,
    }


async def test_a_run_that_loses_too_many_workers_is_poison(
    make_server: MakeServer, plans: str, file: Path
) -> None:
    server = await make_server(plans=[plans], max_attempts=2)
    run = await server.done("relay", "poison", inputs={"file": str(file)})
    assert run["status"] == "failed"
    assert run["error"]["type"] == "PoisonRun"
    assert lines(file) == ["first", "dies", "dies"]


async def test_a_dead_worker_is_noticed_though_a_process_of_its_lives_on(
    make_server: MakeServer, plans: str, file: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    server = await make_server(plans=[plans])
    run = await server.done("relay", "orphan", inputs={"file": str(file), "gate": str(gate)})
    gate.touch()
    assert (run["status"], run["attempt"]) == ("succeeded", 2)


async def _worker_pid(server: Client, cid: str) -> int:
    worker = (await server.get(f"/api/runs/{cid}")).json.get("worker")
    workers = (await server.get("/api/system/status")).json["workers"]
    return next((each["pid"] for each in workers if each["name"] == worker), 0)


def _check_chain(file: Path, run: Any, kills: int) -> None:
    assert run["status"] == "succeeded"
    numbers = [int(line[1:]) for line in lines(file)]
    assert set(numbers) == set(range(1, LINKS + 1))
    assert numbers == sorted(numbers), "nothing runs again after what builds on it has begun"
    assert len(numbers) <= LINKS + kills, "a kill cuts off one step at the most"
    assert 1 < run["attempt"] <= kills + 1


async def _reached(file: Path, links: int) -> None:
    await until(lambda: len(lines(file)) >= links, within=20)


async def test_workers_that_are_killed_between_steps_run_nothing_twice(
    make_server: MakeServer, plans: str, file: Path
) -> None:
    server = await make_server(plans=[plans], workers=2, max_attempts=9)
    cid = await server.run("relay", "chain", inputs={"file": str(file)})
    kills = 3
    for kill in range(1, kills + 1):
        await _reached(file, LINKS * kill // 5)
        os.kill(await until(lambda: _worker_pid(server, cid)), signal.SIGKILL)
    _check_chain(file, await server.finished(cid), kills)


async def test_a_server_that_is_killed_runs_no_finished_step_again(
    tmp_path: Path, plans: str, file: Path
) -> None:
    cid = ""
    kills = 3
    options = ("--max-attempts", "9", "--workers", "1")
    for kill in range(1, kills + 1):
        async with server_process(tmp_path / "data", plans, *options) as server:
            cid = cid or await server.run("relay", "chain", inputs={"file": str(file)})
            await _reached(file, LINKS * kill // 5)
            await server.kill()
    async with server_process(tmp_path / "data", plans, *options) as server:
        _check_chain(file, await server.finished(cid), kills)


async def test_a_shutdown_hands_a_run_over_to_the_next_server(
    tmp_path: Path, plans: str, file: Path
) -> None:
    gate = tmp_path / "gate"
    options = ("--shutdown-grace-sec", "0.2")
    async with server_process(tmp_path / "data", plans, *options) as server:
        inputs = {"file": str(file), "gate": str(gate)}
        cid = await server.run("relay", "held", inputs=inputs)
        await until(lambda: lines(file) == ["first", "holds"])
        assert await server.terminate() == 0
    gate.touch()
    async with server_process(tmp_path / "data", plans) as server:
        run = await server.finished(cid)
    assert (run["status"], run["attempt"]) == ("succeeded", 2)
    assert lines(file) == ["first", "holds", "holds", "last"]


async def test_a_worker_in_the_server_hands_over_too(
    tmp_path: Path, plans: str, file: Path
) -> None:
    gate = tmp_path / "gate"
    settings = {"plans": [plans], "workers": 0, "data_dir": str(tmp_path / "data")}
    async with serving(**settings) as server:
        inputs = {"file": str(file), "gate": str(gate)}
        cid = await server.run("relay", "held", inputs=inputs)
        await until(lambda: lines(file) == ["first", "holds"])
    gate.touch()
    async with serving(**settings) as server:
        run = await server.finished(cid)
    assert (run["status"], run["attempt"]) == ("succeeded", 2)
    assert lines(file) == ["first", "holds", "holds", "last"]
