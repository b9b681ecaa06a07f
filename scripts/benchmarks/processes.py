"""The servers that are measured, as processes with a folder of their own.

Imports the standard library only.
"""

import json
import os
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
from typing import Any, Final, NamedTuple

PLANS: Final = Path(__file__).with_name("plans")
"""Its plan `bench` has a task for each of its actions, of the same name."""
_READY_WITHIN_SEC: Final = 60
_ASK_EACH_SEC: Final = 0.005


class Served(NamedTuple):
    """A server that is ready; `ready_sec` is how long that took from the start of its process."""

    url: str
    pid: int
    ready_sec: float


@contextmanager
def aura(*options: str, data_dir: Path | None = None) -> Iterator[Served]:
    """`aura serve` with the plan `bench`; its data is in `data_dir`, or goes with it."""
    with TemporaryDirectory(prefix="aura-bench-") as folder:
        url = f"http://127.0.0.1:{_free_port()}"
        command = [sys.executable, "-m", "aura_aio", "serve", "--port", url.rpartition(":")[2]]
        command += ["--data-dir", str(data_dir or Path(folder, "data"))]
        command += ["--plans", str(PLANS), *options]
        with _process(command, log=Path(folder, "log")) as process:
            ready_sec = _wait_until_ready(process, url + "/readyz", Path(folder, "log"))
            yield Served(url, process.pid, ready_sec)


@contextmanager
def bare(module: str, *, python: str = sys.executable) -> Iterator[Served]:
    """A server that is a module of ours, run by `python`, and prints its URL when it serves."""
    command = [python, "-m", module]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:
            raise RuntimeError("the pipe that was asked for is missing")
        try:
            url = process.stdout.readline().strip()
            yield Served(url, process.pid, time.perf_counter() - began)
        finally:
            process.terminate()


def get(url: str) -> Any:
    """The JSON that the server answers."""
    with urllib.request.urlopen(url, timeout=60) as response:  # noqa: S310 - our own server
        return json.load(response)


def start_run(url: str, task_name: str, **inputs: Any) -> str:
    """Start a task of `bench`; its cid."""
    body = {"plan_name": "bench", "task_name": task_name, "inputs": inputs}
    cid: str = _post(url + "/api/tasks/run", body)["cid"]
    return cid


def finished(url: str, cid: str) -> dict[str, Any]:
    """The run, once it has ended."""
    while True:
        run: dict[str, Any] = get(url + f"/api/runs/{cid}?wait_sec=20")
        if "finished_at" in run:
            return run


def cancel_run(url: str, cid: str) -> None:
    """Cancel a run, if it has not ended, and wait for its end."""
    with suppress(urllib.error.HTTPError):
        _post(url + f"/api/tasks/{cid}/cancel", {"grace_sec": 0.5})
    finished(url, cid)


def succeeded(url: str) -> int:
    """How many runs have succeeded so far."""
    count: int = get(url + "/api/system/status")["runs"]["succeeded"]
    return count


def memory_mib(pid: int) -> float:
    """What a process holds in memory (resident; Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def workers_of(url: str) -> list[int]:
    """The pids of a server's workers."""
    return [worker["pid"] for worker in get(url + "/api/system/status")["workers"]]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _post(url: str, body: object) -> Any:
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
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


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> float:
    began = time.perf_counter()
    while process.poll() is None and (taken := time.perf_counter() - began) < _READY_WITHIN_SEC:
        try:
            get(url)
        except OSError:
            time.sleep(_ASK_EACH_SEC)
        else:
            return taken
    raise RuntimeError(f"aura serve did not become ready:\n{log.read_text(errors='replace')}")
