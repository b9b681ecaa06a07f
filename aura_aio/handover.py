"""The listening socket, from whoever has started this server, and to the server that comes after.

May import the standard library, settings and model only. The way is that of systemd: LISTEN_FDS.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, MutableMapping
from typing import Final, NoReturn

from aura_aio.model.errors import SettingsError
from aura_aio.settings import HttpSettings

FIRST_FD: Final = 3
"""Where the first socket is that is handed over (sd_listen_fds)."""

TRIAL_SEC: Final = 60.0
"""How long it may take to try whether a server would start."""
TRIAL_OPTION: Final = "--check"
"""What lets `aura serve` only try."""

_PID, _COUNT, _NAMES = "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"
_HANDED_OVER: Final = (  # the id of a process is not known before it is there
    "import os, sys; "
    f"os.dup2(int(sys.argv[1]), {FIRST_FD}); "
    f"os.environ.update({_PID}=str(os.getpid()), {_COUNT}='1'); "
    "os.execv(sys.argv[2], sys.argv[2:])"
)


def take_listener(
    settings: HttpSettings, environ: MutableMapping[str, str]
) -> socket.socket | None:
    """The socket that was handed over to this process; None if none was. What tells of it is taken
    out of `environ`, so that no process that is started later believes that it is meant.

    Raises:
        SettingsError: there are several, or it is not the one that the settings tell of: who can
            come in without a token depends on the address.
    """
    pid, count = environ.pop(_PID, ""), environ.pop(_COUNT, "")
    environ.pop(_NAMES, None)
    if pid != str(os.getpid()):
        return None
    if count != "1":
        raise SettingsError(f"{_COUNT}={count}: the server takes one socket, not {count}.")
    try:
        listener = socket.socket(fileno=FIRST_FD)
        listener.set_inheritable(False)
        is_listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise SettingsError(f"What was handed over is no socket: {error}.") from error
    if not is_listening or listener.family not in (socket.AF_INET, socket.AF_INET6):
        raise SettingsError("What was handed over is no socket that listens for TCP connections.")
    _must_be(listener, settings)
    return listener


async def fault_of_start(listener: socket.socket, environ: Mapping[str, str]) -> str | None:
    """What would keep a server from starting that `start_anew` had replaced this process by; None
    if nothing would. It is tried in a process of its own, which changes nothing.
    """
    fd = listener.fileno()
    command = [sys.executable, "-ISc", _HANDED_OVER, str(fd), *_words(), TRIAL_OPTION]
    try:
        async with asyncio.timeout(TRIAL_SEC):
            code, told = await _ended(command, environ, fd)
    except TimeoutError:
        return f"It had not started after {TRIAL_SEC:g} seconds."
    except OSError as error:
        return str(error)
    *_, last = ["", *told.decode("utf-8", "replace").split("\n")]
    return None if code == 0 else last or f"It ended with exit code {code}."


def start_anew(listener: socket.socket, environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by a server that is started as this one was, with `environ`, and is
    handed `listener`: who connects meanwhile waits for it. What is not written by now is lost.

    Raises:
        OSError: there is no such program any more.
    """
    os.dup2(listener.fileno(), FIRST_FD)
    os.set_inheritable(FIRST_FD, True)  # also where it had this number already
    given = {_PID: str(os.getpid()), _COUNT: "1"}
    os.execve(  # noqa: S606 - what it was started with
        sys.executable, _words(), {**environ, **given}
    )


def ignore_further_signals() -> None:
    """Let SIGUSR2 do nothing, as it does until the new server listens to it: it would end it."""
    if sys.platform != "win32":
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)


def _words() -> list[str]:
    """What this process was started with."""
    return [sys.executable, *sys.orig_argv[1:]]


async def _ended(command: list[str], environ: Mapping[str, str], fd: int) -> tuple[int, bytes]:
    """How `command` ends, which is given `fd`, and what it has to say. It ends with this call."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=dict(environ),
        pass_fds=[fd],
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, told = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, told.strip()


def _must_be(listener: socket.socket, settings: HttpSettings) -> None:
    host, port = listener.getsockname()[:2]
    try:
        found = socket.getaddrinfo(settings.host, None, listener.family, socket.SOCK_STREAM)
    except socket.gaierror:
        found = []
    if host not in {address[4][0] for address in found} or settings.port not in (0, port):
        raise SettingsError(
            f"The socket that was handed over listens on {host}, port {port}, and the settings say "
            f"{settings.host}, port {settings.port}: say the same with --host and --port."
        )
