"""The plan that the campaign runs: each call of an action leaves a line in a ledger.

Imports the standard library only.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

NAME = "torture"
POLICIES = {"once": "fail", "again": "restart", "onward": "resume", "endless": "fail"}
"""What happens to a run of each task when its worker is lost."""

_ACTIONS = '''"""Actions that tell a ledger when they begin and end."""

import asyncio
import os
import threading
import time

from aura_aio import ActionContext, action

LEDGER = os.open({ledger!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
NEVER = threading.Event()


def note(word: str, context: ActionContext) -> None:
    at = time.clock_gettime(time.CLOCK_REALTIME)  # whatever the campaign makes of time.time
    line = f"{{at:.6f}} {{word}} {{context.run.cid}} {{context.run.attempt}} {{context.step}}\\n"
    os.write(LEDGER, line.encode())


@action
async def work(context: ActionContext, sec: float) -> None:
    """Take some time."""
    note("begin", context)
    context.log("begun")
    await asyncio.sleep(sec)
    note("end", context)


@action
def work_in_thread(context: ActionContext, sec: float) -> None:
    """Take some time, in a thread."""
    note("begin", context)
    print("begun")
    NEVER.wait(sec)
    note("end", context)
'''
_CHAIN = """
meta:
  on_crash: {on_crash}
  inputs: [{{name: sec, type: number, default: 0.01}}]
steps:
  a: {{action: work, params: {{sec: "{{{{ inputs.sec }}}}"}}}}
  b: {{depends_on: a, action: work_in_thread, params: {{sec: "{{{{ inputs.sec }}}}"}}}}
  c: {{depends_on: a, action: work, params: {{sec: "{{{{ inputs.sec }}}}"}}}}
  d: {{depends_on: [b, c], action: work, params: {{sec: "{{{{ inputs.sec }}}}"}}}}
"""
_ENDLESS = """
meta: {on_crash: fail}
steps:
  a: {action: work, params: {sec: 3600}}
"""


class Call(NamedTuple):
    """A line of the ledger: an action of this step has begun or ended (`word`), at this time."""

    at: float
    word: str
    cid: str
    attempt: int
    step: str


def write_plan(folder: Path, ledger: Path) -> None:
    """The plan below `folder`, with its ledger elsewhere: where a disk fills up, it must not."""
    tasks = folder / NAME / "tasks"
    tasks.mkdir(parents=True)
    for task, policy in POLICIES.items():
        text = _ENDLESS if task == "endless" else _CHAIN.format(on_crash=policy)
        (tasks / f"{task}.yaml").write_text(text, "utf-8")
    actions = _ACTIONS.format(ledger=str(ledger))
    (folder / NAME / "actions.py").write_text(actions, "utf-8")


def read_ledger(ledger: Path) -> Iterator[Call]:
    """What the actions have done, in order."""
    if ledger.exists():
        for line in ledger.read_text("utf-8").splitlines():
            at, word, cid, attempt, step = line.split(" ")
            yield Call(float(at), word, cid, int(attempt), step)
