"""A plan whose actions run in processes of their own, and what tests do with it.

Imports aura_aio's engine and model, and the harness.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aura_aio.engine.runner import Runner
from aura_aio.model.plan import Step, Task
from aura_aio.model.run import Outcome
from aura_aio.model.states import RunEvent
from aura_aio.processes.tree import StartProcess
from tests.engine.harness import PLAN, Bench, bench, task, write_plan
from tests.engine.processes import pid_in

ACTIONS = """
import asyncio
import ctypes
import enum
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

from aura_aio import ActionContext, action


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    colour: Colour


@action(isolation="process")
def where(context: ActionContext) -> dict:
    return {
        "pid": os.getpid(),
        "cid": context.cid,
        "step": context.step,
        "plan": context.plan_name,
        "task": context.task_name,
        "attempt": context.attempt,
        "worker": context.run.worker,
        "data": str(context.data_dir),
        "cancelled": context.cancelled,
        "main": threading.current_thread() is threading.main_thread(),
        "stdin": sys.stdin.read(),
    }


@action
def pid() -> int:
    return os.getpid()


@action
async def async_pid() -> int:
    await asyncio.sleep(0)
    return os.getpid()


@action(isolation="process")
def convert(points: list[Point], when: Path, n: int = 3) -> dict:
    return {"points": points, "names": [each.colour.name for each in points], "when": when, "n": n}


@action(isolation="process")
def speak(context: ActionContext) -> None:
    print("printed")
    sys.stderr.write("an error\\n")
    sys.stdout.buffer.write(b"bytes\\n")
    logging.getLogger(__name__).debug("in detail")
    logging.getLogger("library").info("a library")
    warnings.warn("mind the gap")
    context.log("logged", level="error", n=1)
    thread = threading.Thread(target=print, args=("from a thread",))
    thread.start()
    thread.join()
    print("half", end="")
    context.progress(0.5, "half way")


@action(isolation="process")
def shout() -> None:
    os.write(1, b"one\\ntwo")
    subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
    os.write(2, b"the end, without an end")


@action(isolation="process")
def big(size: int) -> str:
    return "x" * size


@action(isolation="process")
def echo(value):
    return value


@action(isolation="process")
def no_json():
    return object()


@action(isolation="process")
def remember(context: ActionContext) -> int:
    context.state["n"] = context.state.get("n", 0) + 1
    return context.state["n"]


class Odd(LookupError):
    pass


@action(isolation="process")
def raises(kind: str = "Odd") -> None:
    if kind == "Odd":
        raise Odd("so odd")
    raise {"exit": SystemExit, "stop": KeyboardInterrupt, "cancel": asyncio.CancelledError}[kind]


@action(isolation="process")
def fails_once(file: str) -> str:
    if not Path(file).exists():
        Path(file).touch()
        raise Odd("the first time")
    return "then not"


@action(isolation="process")
def exits() -> None:
    print("before the end")
    os._exit(3)


@action(isolation="process")
def crashes() -> None:
    ctypes.string_at(0)


@action(isolation="process")
def is_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@action(isolation="process")
def hoards() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (256 << 20, 256 << 20))
    hoard = []
    while True:
        hoard.append(bytearray(1 << 20))


@action(isolation="process")
def garbles() -> None:
    for number in range(3, 20):
        try:
            os.write(number, b"\\xff" * 4096)
        except OSError:
            pass
    while True:
        time.sleep(1)


@action(isolation="process")
def hangs_up() -> None:
    os.closerange(3, 256)
    while True:
        time.sleep(1)


@action(isolation="process")
def spins(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    while True:
        pass


@action(isolation="process")
def spins_in_c(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    10 ** 10 ** 10


@action(isolation="process")
def cleans_up(file: str) -> None:
    try:
        Path(file).write_text(str(os.getpid()))
        while True:
            pass
    finally:
        print("cleaned up")


@action(isolation="process")
def cleans_up_late(file: str, context: ActionContext) -> None:
    try:
        Path(file).write_text(str(os.getpid()))
        threading.Event().wait()
    finally:
        print("cleaned up")


@action(isolation="process")
def is_polite(file: str, context: ActionContext) -> str:
    Path(file).write_text(str(os.getpid()))
    while not context.cancelled:
        time.sleep(0.01)
    print("ended when told")
    return "ended"


@action(isolation="process")
async def waits(file: str) -> None:
    try:
        Path(file).write_text(str(os.getpid()))
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        print("cleaned up")


@action(isolation="process")
async def swallows(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            print("not me")


@action(isolation="process")
def ignores_all(file: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(file).write_text(str(os.getpid()))
    while True:
        time.sleep(1)


@action(isolation="process")
def has_children(file: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    Path(file).write_text(str(child.pid))
    while True:
        time.sleep(1)


@action(isolation="process")
def leaves_children(file: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    Path(file).write_text(str(child.pid))


@action(isolation="process")
def leaves_a_fork(file: str) -> None:
    child = os.fork()
    if not child:
        while True:
            time.sleep(1)
    Path(file).write_text(str(child))
    os._exit(4)


@action(isolation="process")
def leaves_a_thread() -> str:
    threading.Thread(target=time.sleep, args=(1000,)).start()
    return "gone"
"""

BROKEN = """
from aura_aio import action
import no_such_module


@action(isolation="process")
def never() -> None: ...
"""

LOUD = """
import os
from aura_aio import action

print("imported", os.getpid())


@action(isolation="process")
def loud() -> int:
    return os.getpid()
"""


@contextmanager
def isolated_bench(folder: Path, start_process: StartProcess) -> Iterator[Bench]:
    """A Bench of the plan, below `folder`."""
    files = {
        "actions/some.py": ACTIONS,
        "actions/broken.py": BROKEN,
        "actions/loud.py": LOUD,
        "tasks/t.yaml": "steps: {a: {action: log, params: {message: x}}}",
    }
    catalog = write_plan(folder / "plans", files)
    assert not catalog.plan(PLAN).errors
    with bench(
        folder / "data", catalog=catalog, grace_sec=0.4, start_process=start_process
    ) as table:
        yield table


def with_limit(seconds: float, action: str, **params: Any) -> Task:
    """A task of one step, whose time is limited."""
    return task(Step("a", action, params, timeout_sec=seconds))


async def failure(table: Bench, task: Task) -> Any:
    """The error of a run that must fail."""
    outcome = await table.run(task)
    assert outcome.event is RunEvent.FAIL
    assert outcome.error is not None
    return outcome.error


async def cancelled(
    table: Bench, task: Task, file: Path, grace_sec: float
) -> tuple[Outcome, Runner]:
    """The outcome of a run that is cancelled when its action has begun."""
    runner = table.runner(task)
    run = asyncio.ensure_future(runner.run())
    await pid_in(file)
    runner.cancel(grace_sec=grace_sec)
    return await run, runner
