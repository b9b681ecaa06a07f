"""The server as its users start it, on one port and one data folder for the whole campaign.

Imports the standard library only.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

READY_SEC = 60.0
DATABASE = "aura.db"
_SHIFTED_CLOCK = '''"""Shifts the clock of every Python process that finds this first."""

import os
import time

_true_time = time.time
_file = os.environ["CAMPAIGN_CLOCK"]


def _shifted() -> float:
    try:
        return _true_time() + float(open(_file).read() or 0)
    except (OSError, ValueError):
        return _true_time()


time.time = _shifted
'''


class Server:
    """`aura serve`: started, killed, stopped and continued as often as the campaign likes."""

    def __init__(self, folder: Path, data: Path, options: Sequence[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = data
        self.starts = 0
        self._clock = folder / "clock"
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        shifted = folder / "shifted"
        shifted.mkdir()
        (shifted / "sitecustomize.py").write_text(_SHIFTED_CLOCK, "utf-8")
        path = os.pathsep.join([str(shifted), os.environ.get("PYTHONPATH", "")])
        self._environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("AURA_")},
            "PYTHONPATH": path,
            "CAMPAIGN_CLOCK": str(self._clock),
        }
        self._command = [sys.executable, "-m", "aura_aio", "serve", "--port", str(self.port)]
        self._command += ["--data-dir", str(data), "--plans", str(folder / "plans"), *options]
        # Its disk is small, and is to be filled to the last byte.
        self._command += ["--min-free-mib", "0"]

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, and return when it is ready.

        Raises:
            RuntimeError: it ended instead, or did not get ready; the message has its last words.
        """
        self.starts += 1
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=self._environment
            )
        deadline = time.monotonic() + READY_SEC
        while not self._is_ready():
            if not self.runs or time.monotonic() > deadline:
                words = self._log.read_text("utf-8", "replace")[-2000:]
                raise RuntimeError(f"The server does not get ready. Its last words:\n{words}")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> None:
        """SIGTERM, and wait for its end; SIGKILL when that takes longer than it may."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=20)
            self.kill()

    def send(self, number: signal.Signals) -> None:
        """A signal for the server alone."""
        if self.runs and self._process is not None:
            self._process.send_signal(number)

    def workers(self) -> list[int]:
        """The processes that it has started."""
        if not self.runs or self._process is None:
            return []
        threads = Path(f"/proc/{self._process.pid}/task")
        return [
            int(pid)
            for children in threads.glob("*/children")
            for pid in children.read_text("ascii").split()
        ]

    def shift_clock(self, seconds: float) -> None:
        """From now on its clock, and that of its workers, is off by `seconds`."""
        self._clock.write_text(str(seconds), "ascii")

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
