"""A server in a process of its own that says what it holds: coroutine tasks, threads, open files.

Imports aura_aio's lifetime and settings, and the standard library. Run as a module.
"""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aura_aio import event_loop, lifetime
from aura_aio.settings_table import load_settings

PLANS = Path(__file__).resolve().parents[2] / "plans"


class Watched:
    """The process, seen from the test."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        url = self._line()["url"]
        self.port = int(url.rpartition(":")[2])

    def held(self) -> dict[str, Any]:
        """What it holds now, by kind; and its memory in MiB."""
        assert self._process.stdin is not None
        self._process.stdin.write("?\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer = json.loads(self._process.stdout.readline())
        assert isinstance(answer, dict)
        return answer


@contextmanager
def watched(data_dir: Path) -> Iterator[Watched]:
    """A server that dispatches nothing, as nothing is to be accepted."""
    command = [sys.executable, "-m", "tests.hostile.watched", str(data_dir)]
    with subprocess.Popen(
        command, cwd=PLANS.parent, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield Watched(process)
        finally:
            process.terminate()


def _held() -> dict[str, Any]:
    tasks = Counter(getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks())
    files: Counter[str] = Counter()
    for number in os.listdir("/proc/self/fd"):
        try:
            files[os.readlink(f"/proc/self/fd/{number}").partition(":")[0]] += 1
        except FileNotFoundError:  # that of the listing itself
            continue
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[1])
    return {
        "tasks": dict(tasks),
        "threads": dict(
            Counter(thread.name.rstrip("0123456789") for thread in threading.enumerate())
        ),
        "files": dict(files),
        "memory": pages * os.sysconf("SC_PAGE_SIZE") // 2**20,
    }


async def _main(data_dir: str) -> None:
    flags = {"port": 0, "workers": 1, "start": False, "plans": [str(PLANS)], "data_dir": data_dir}
    settings = await asyncio.to_thread(load_settings, flags, {})

    def answer() -> None:
        if sys.stdin.readline():
            _say(_held())

    asyncio.get_running_loop().add_reader(sys.stdin, answer)
    await lifetime.serve(settings, {}, lambda made: _say({"url": made.url}), {})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    event_loop.run(_main(sys.argv[1]))
