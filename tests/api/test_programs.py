"""Programs that actions start: they take signals as programs do, wherever the action runs.

Imports the fixtures and `tests.serving`.
"""

import json
import sys
from pathlib import Path

from tests.conftest import MakeServer
from tests.serving import write_plan

CODE = """
import json, signal
kinds = {signal.SIG_DFL: "default", signal.SIG_IGN: "ignored"}
named = {name: signal.getsignal(getattr(signal, name)) for name in ("SIGTERM", "SIGINT")}
print(json.dumps({name: kinds.get(kind, "handled") for name, kind in named.items()}))
"""

ACTIONS = f'''"""Starts a program that tells how it takes signals."""

import asyncio
import json
import subprocess
import sys

from aura_aio import action

COMMAND = [sys.executable, "-c", {CODE!r}]


@action
def ask() -> dict:
    return json.loads(subprocess.run(COMMAND, capture_output=True, check=True).stdout)


@action
async def ask_on_loop() -> dict:
    process = await asyncio.create_subprocess_exec(*COMMAND, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return json.loads(out)


@action
async def end_it() -> int:
    """Ask a program to end: it does."""
    process = await asyncio.create_subprocess_exec("sleep", "1000")
    process.terminate()
    return await asyncio.wait_for(process.wait(), 20)
'''

TASK = f"""
steps:
  thread: {{action: ask}}
  loop: {{action: ask_on_loop}}
  apart: {{action: ask, isolation: process}}
  shell: {{action: shell.run, params: {{command: {json.dumps([sys.executable, "-c", CODE])}}}}}
  end: {{action: end_it}}
returns:
  asked:
    - "{{{{ nodes.thread.output }}}}"
    - "{{{{ nodes.loop.output }}}}"
    - "{{{{ nodes.apart.output }}}}"
    - "{{{{ nodes.shell.output.stdout }}}}"
  code: "{{{{ nodes.end.output }}}}"
"""


async def test_a_program_takes_signals_as_it_would_elsewhere(
    make_server: MakeServer, tmp_path: Path
) -> None:
    write_plan(tmp_path / "plans", "p", {"t": TASK}, ACTIONS)
    server = await make_server(plans=[str(tmp_path / "plans")], allow_shell=True)
    run = await server.done("p", "t")
    assert run["status"] == "succeeded", run["error"]
    thread, loop, apart, shell = run["result"]["asked"]
    # Python handles SIGINT by itself where it is not ignored.
    wanted = {"SIGTERM": "default", "SIGINT": "handled"}
    assert (thread, loop, apart) == (wanted, wanted, wanted)
    assert shell.strip() == '{"SIGTERM": "default", "SIGINT": "handled"}'
    assert run["result"]["code"] == -15
