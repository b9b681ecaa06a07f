"""A plan whose runs a test can hold and let go: it does what tests ask for.

Imports `tests.serving` only.
"""

from pathlib import Path

from tests.serving import write_plan

_ACTIONS = '''"""Actions that tests hold and let go, and actions that misbehave."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

from aura_aio import ActionContext, action


@action
async def hold(gate: str) -> str:
    """Return as soon as the file `gate` exists."""
    while not Path(gate).exists():
        await asyncio.sleep(0.01)
    return "let go"


@action
def count(file: str, line: str) -> None:
    """Append a line to a file."""
    with Path(file).open("a", encoding="utf-8") as out:
        out.write(line + "\\n")


@action
async def say(context: ActionContext, lines: int) -> None:
    """Log so many lines."""
    for number in range(lines):
        context.log(f"line {number}")
        if number % 100 == 99:
            await asyncio.sleep(0)


@action
def spin_in_thread() -> None:
    """Never return, without a look at the context."""
    while True:
        pass


@action
async def spin_on_loop() -> None:
    """Never return, and hold the loop."""
    while True:
        pass


@action(isolation="process")
def spin_apart(file: str) -> None:
    """Never return; the process is in a file."""
    Path(file).write_text(str(os.getpid()), encoding="utf-8")
    while True:
        pass


@action(isolation="process")
def spin_in_c(file: str) -> None:
    """Never come back to Python, and leave a program running beside it."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    Path(file).write_text(f"{os.getpid()} {child.pid}", encoding="utf-8")
    10 ** 10 ** 10


@action
async def spin_in_c_here(file: str) -> None:
    """Hold the worker's loop, never come back to Python, and leave a program running beside it."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    Path(file).write_text(f"{os.getpid()} {child.pid}", encoding="utf-8")
    10 ** 10 ** 10


@action
def exit_process() -> None:
    """End the worker as no action should."""
    os._exit(1)


@action
def allocate() -> None:
    """Take all the memory that there is."""
    hoard = []
    while True:
        hoard.append(bytearray(16 * 1024 * 1024))


@action
async def fan_out(context: ActionContext) -> int:
    """Say which process this is."""
    return os.getpid()


@action
def wait_politely(context: ActionContext) -> str:
    """A thread that looks whether it is to end."""
    never = threading.Event()
    while not context.cancelled:
        never.wait(0.01)
    return "ended when asked"
'''

_TASKS = {
    "echo": """
meta:
  inputs:
    - {name: text, type: string, required: true}
    - {name: times, type: number, default: 1, min: 1, max: 10}
steps:
  say: {action: log, params: {message: "{{ inputs.text }}"}}
returns: {text: "{{ inputs.text }}", times: "{{ inputs.times }}"}
""",
    "hold": """
meta:
  inputs: [{name: gate, type: string, required: true}]
steps:
  wait: {action: hold, params: {gate: "{{ inputs.gate }}"}}
returns: "{{ nodes.wait.output }}"
""",
    "count": """
meta:
  inputs:
    - {name: file, type: string, required: true}
    - {name: line, type: string, required: true}
steps:
  count: {action: count, params: {file: "{{ inputs.file }}", line: "{{ inputs.line }}"}}
""",
    "say": """
meta:
  inputs: [{name: lines, type: number, required: true}]
steps:
  say: {action: say, params: {lines: "{{ inputs.lines }}"}}
""",
    "say_apart": """
meta:
  inputs: [{name: lines, type: number, required: true}]
steps:
  say: {action: say, isolation: process, params: {lines: "{{ inputs.lines }}"}}
""",
    "which_process": """
steps:
  ask: {action: fan_out}
returns: "{{ nodes.ask.output }}"
""",
    "spin_apart": """
meta:
  inputs: [{name: file, type: string, required: true}]
steps:
  spin: {action: spin_apart, params: {file: "{{ inputs.file }}"}}
""",
    "spin_in_c": """
meta:
  inputs: [{name: file, type: string, required: true}]
steps:
  spin: {action: spin_in_c, params: {file: "{{ inputs.file }}"}}
""",
    "spin_in_c_here": """
meta:
  inputs: [{name: file, type: string, required: true}]
steps:
  spin: {action: spin_in_c_here, params: {file: "{{ inputs.file }}"}}
""",
    "shell": """
meta:
  inputs: [{name: file, type: string, required: true}]
steps:
  it:
    action: shell.run
    params:
      command: [sh, -c, 'sleep 1000 & echo $$ $! > "$1"; wait', sh, "{{ inputs.file }}"]
""",
    "exit_apart": "steps: {it: {action: exit_process, isolation: process}}\n",
    "allocate_apart": "steps: {it: {action: allocate, isolation: process}}\n",
    **{
        name: f"steps: {{it: {{action: {name}}}}}\n"
        for name in (
            "spin_in_thread",
            "spin_on_loop",
            "exit_process",
            "allocate",
            "wait_politely",
        )
    },
}


def write_probe(root: Path) -> str:
    """The plan `probe` below `root`; answers `root` for the setting `plans`."""
    write_plan(root, "probe", _TASKS, _ACTIONS)
    return str(root)
