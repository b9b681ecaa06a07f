"""Plans whose runs can be cancelled at every moment: they leave a line for all that they do.

Imports `tests.serving` only.
"""

from pathlib import Path

from tests.serving import write_plan

_ACTIONS = '''"""Actions that leave a line when they begin, and one when they go on after a wait."""

import asyncio
import os
import threading
from pathlib import Path

from aura_aio import ActionContext, action

NEVER = threading.Event()


def write(folder: str, line: object) -> None:
    with Path(folder, "lines").open("a", encoding="utf-8") as out:
        out.write(f"{line}\\n")


def is_open(folder: str) -> bool:
    return Path(folder, "gate").exists()


@action
def mark(folder: str, line: str) -> None:
    """Leave a line."""
    write(folder, line)


@action
async def hold(folder: str, line: str = "begun") -> None:
    """Wait until the gate is open."""
    write(folder, line)
    while not is_open(folder):
        await asyncio.sleep(0.01)
    write(folder, "went on")


@action
async def fail_here(folder: str) -> None:
    """Leave a line, and fail."""
    write(folder, "begun")
    raise ValueError("not yet")


@action
async def clean_up(folder: str) -> None:
    """Wait for ever, and clean up at the end, which takes a while."""
    write(folder, "begun")
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.to_thread(NEVER.wait, 0.05)
        write(folder, "cleaned up")


@action
def listen(context: ActionContext, folder: str) -> None:
    """A thread that looks whether it is to end."""
    write(folder, "begun")
    while not (context.cancelled or is_open(folder)):
        NEVER.wait(0.01)
    write(folder, "heard it" if context.cancelled else "went on")


@action
def never_listen(folder: str) -> None:
    """A thread that waits for the gate and for nothing else."""
    write(folder, "begun")
    while not is_open(folder):
        NEVER.wait(0.01)
    write(folder, "went on")


@action(isolation="process")
def apart(folder: str) -> None:
    """A process of its own, which cleans up."""
    Path(folder, "pid").write_text(str(os.getpid()), encoding="utf-8")
    write(folder, "begun")
    try:
        while not is_open(folder):
            NEVER.wait(0.01)
        write(folder, "went on")
    finally:
        write(folder, "terminated")


@action(isolation="process")
def apart_for_ever(folder: str) -> None:
    """A process of its own that does not want to end."""
    Path(folder, "pid").write_text(str(os.getpid()), encoding="utf-8")
    write(folder, "begun")
    while not is_open(folder):
        try:
            NEVER.wait(0.01)
        except SystemExit:
            write(folder, "refused")
    write(folder, "went on")
'''

_HEAD = """
meta:
  on_crash: {on_crash}
  inputs: [{{name: folder, type: string, required: true}}]
steps:
"""
_AFTER = """
  after:
    action: mark
    params: {folder: "{{ inputs.folder }}", line: after}
    depends_on: {it: "success|failed|skipped"}
"""

_STEPS = {
    "hold": "action: hold",
    "fail_here": "action: fail_here\n    retry: {count: 5, delay: 3600}",
    "refused": (
        'action: mark\n    on_result: {retry_when: "{{ true }}", max_retries: 5, delay: 3600}'
    ),
    "clean_up": "action: clean_up",
    "clean_up_limited": "action: clean_up\n    timeout: 3600",
    "listen": "action: listen",
    "never_listen": "action: never_listen",
    "apart": "action: apart",
    "apart_for_ever": "action: apart_for_ever",
    "loop": "action: hold\n    loop: {times: 9}",
    "loop_each": "action: hold\n    loop: {for_each: {a: 1, b: 2, c: 3}}",
    "loop_while": 'action: hold\n    loop: {while: "{{ true }}", max_iterations: 9}',
    "loop_parallel": "action: hold\n    loop: {times: 9, parallelism: 3}",
    "loop_threads": "action: listen\n    loop: {times: 9, parallelism: 3}",
    "loop_pause": (
        "action: fail_here\n    loop: {times: 9, parallelism: 3}\n"
        "    retry: {count: 5, delay: 3600}"
    ),
}
"""What the one step of each task is; all but the parameters."""


def _task(step: str, on_crash: str = "fail") -> str:
    line = ", line: begun" if "action: mark" in step else ""
    params = f'params: {{folder: "{{{{ inputs.folder }}}}"{line}}}'
    return _HEAD.format(on_crash=on_crash) + f"  it:\n    {step}\n    {params}\n" + _AFTER


_OTHERS = {
    "sleep": """
  first: {action: mark, params: {folder: "{{ inputs.folder }}", line: begun}}
  it: {action: sleep, params: {seconds: 3600}, depends_on: first}
""",
    "event": """
  first: {action: mark, params: {folder: "{{ inputs.folder }}", line: begun}}
  it: {action: wait.for_event, params: {task: quick}, depends_on: first}
""",
    "beside": """
  first: {action: hold, params: {folder: "{{ inputs.folder }}"}}
  second: {action: clean_up, params: {folder: "{{ inputs.folder }}"}}
  third: {action: listen, params: {folder: "{{ inputs.folder }}"}}
  it: {action: mark, params: {folder: "{{ inputs.folder }}", line: "after all"}, depends_on: first}
""",
    "parent": """
  it: {action: aura.run_task, params: {task: hold, inputs: {folder: "{{ inputs.folder }}"}}}
""",
    "grandparent": """
  it: {action: aura.run_task, params: {task: parent, inputs: {folder: "{{ inputs.folder }}"}}}
""",
}

_TASKS = {
    **{name: _task(step) for name, step in _STEPS.items()},
    **{name: _HEAD.format(on_crash="fail") + steps + _AFTER for name, steps in _OTHERS.items()},
    "resume": _task("action: hold", on_crash="resume"),
    "resume_deaf": _task("action: never_listen", on_crash="resume"),
    "quick": "steps: {it: {action: set, params: {n: 1}}}\n",
    "unread": _task("action: mark"),
    "unclaimed": _task("action: mark"),
}

_SLOW = '''"""A module whose import takes until the test lets it."""

import threading
from pathlib import Path

from aura_aio import action

FOLDER = Path({folder!r})

(FOLDER / "importing").touch()
while not (FOLDER / "gate").exists():
    threading.Event().wait(0.01)
(FOLDER / "imported").touch()


@action
def work() -> None:
    """Leave a file."""
    (FOLDER / "worked").touch()
'''


def write_moments(root: Path) -> None:
    """The plan `moments` below `root`."""
    write_plan(root, "moments", _TASKS, _ACTIONS)


def write_slow(root: Path, name: str, folder: Path) -> None:
    """A plan whose module makes the file `importing` in `folder`, and is imported once there is a
    file `gate`; its task `work` makes the file `worked`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_plan(
        root, name, {"work": "steps: {it: {action: work}}\n"}, _SLOW.format(folder=str(folder))
    )
