"""The servers that are measured, as processes with a folder of their own.

Imports the standard library only.
"""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_MANIFEST = "package: {name: bench, version: 1.0.0}\n"
_ACTIONS = '''"""The action that does nothing, and those that misbehave."""

import os

from aura_aio import action


@action
async def noop() -> None:
    """Return at once."""


@action
def spin_in_thread() -> None:
    """Never return, in a thread."""
    while True:
        pass


@action
async def spin_on_loop() -> None:
    """Never return, on the loop of the worker."""
    while True:
        pass


@action
def exit_process() -> None:
    """End the worker."""
    os._exit(1)


@action
def allocate() -> None:
    """Take all the memory that there is."""
    hoard = []
    while True:
        hoard.append(bytearray(1024 * 1024))
'''
_TASKS = ("noop", "spin_in_thread", "spin_on_loop", "exit_process", "allocate")


@contextmanager
def aura(*options: str) -> Iterator[str]:
    """`aura serve` with a plan `bench`, whose tasks each call the action of their name; its URL."""
    with TemporaryDirectory(prefix="aura-bench-") as folder:
        plan = Path(folder, "plans", "bench")
        (plan / "tasks").mkdir(parents=True)
        (plan / "manifest.yaml").write_text(_MANIFEST, "utf-8")
        for name in _TASKS:
            task = f"steps: {{it: {{action: {name}}}}}\n"
            (plan / "tasks" / f"{name}.yaml").write_text(task, "utf-8")
        (plan / "actions.py").write_text(_ACTIONS, "utf-8")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "aura_aio", "serve", "--port", str(port)]
        command += ["--data-dir", str(Path(folder, "data")), "--plans", str(plan.parent), *options]
        url = f"http://127.0.0.1:{port}"
        with _process(command, log=Path(folder, "log")) as process:
            _wait_until_ready(process, url, Path(folder, "log"))
            yield url


@contextmanager
def bare() -> Iterator[str]:
    """The bare aiohttp server; answers its URL."""
    command = [sys.executable, "-m", "benchmarks.bare_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:
            raise RuntimeError("the pipe that was asked for is missing")
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def get(url: str) -> Any:
    """The JSON that the server answers."""
    with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310 - our own server
        return json.load(response)


def start_run(url: str, task_name: str) -> str:
    """Start a task of `bench`; its cid."""
    answer = _post(url + "/api/tasks/run", {"plan_name": "bench", "task_name": task_name})
    cid: str = answer["cid"]
    return cid


def cancel_run(url: str, cid: str) -> None:
    """Cancel a run, if it has not ended, and wait for its end."""
    with suppress(urllib.error.HTTPError):
        _post(url + f"/api/tasks/{cid}/cancel", {"grace_sec": 0.5})
    while "finished_at" not in get(url + f"/api/runs/{cid}?wait_sec=20"):
        pass


def _post(url: str, body: dict[str, Any]) -> Any:
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return json.load(response)


@contextmanager
def _process(command: list[str], *, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            get(url + "/readyz")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"aura serve did not become ready:\n{log.read_text(errors='replace')}")
