"""The virtual environments beside the code: made once, stamped, and used by the scripts here.

Imports the standard library only; runs on Linux, macOS and Windows with Python 3.11 and pip.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older Python gets a sentence, not a traceback
    sys.exit(
        f"aura-aio needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.\n"
        "Start this script with a newer one, for example: python3.11 " + " ".join(sys.argv)
    )

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

REPOSITORY = Path(__file__).resolve().parent.parent
CONSTRAINTS = REPOSITORY / "constraints.txt"

_INSTALLING = "installing"  # what a stamp says until everything is there
_PYTHON = "{}.{}".format(*sys.version_info[:2])

NO_VENV = """
Python's module venv could not make a virtual environment (its message is above).
On Debian and Ubuntu install it with: apt install python3-venv
Elsewhere use a Python that has venv and pip, such as the one from python.org."""

NO_PACKAGES = """
The packages could not be installed; pip says above why. If it could not download: packages come
from where pip is set up to look, PyPI by default. Check the network, a proxy (HTTPS_PROXY) or a
mirror (PIP_INDEX_URL), then run the same command again."""

IN_USE = """
{folder} has to be made anew, but cannot be moved away: {error}.
Stop what runs from it (a server, an editor), then run the same command again."""


class Environment:
    """A virtual environment `folder` with what pip is told to install, in versions of `pins`."""

    def __init__(self, folder: Path, what: Sequence[str], pins: Path = CONSTRAINTS) -> None:
        self.folder = folder
        self.programs = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.programs / ("python.exe" if os.name == "nt" else "python")
        self._what = what
        self._pins = pins
        self._stamp = folder / "aura-stamp"

    def prepare(self) -> None:
        """Make the environment unless it is up to date; to see that takes milliseconds.

        Stops the script with a message when it cannot be made. Nothing counts as installed that
        was not installed to the end: after a failure the next start tries again, after an
        interruption it begins anew. Scripts that are started together wait for one another.

        Python keeps what it compiles beside the sources from here on, also where it is told not to:
        else every process that is started compiles all of them anew, half a second for the server.
        """
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        wanted = self.fingerprint()
        if self._is_ready(wanted):
            return
        with alone(self.folder.with_name(self.folder.name + ".lock")):
            if not self._is_ready(wanted):
                self._install()
                self._stamp.write_text(wanted, "utf-8")

    def fingerprint(self) -> str:
        """What the content of the environment depends on, as a digest."""
        parts = [_PYTHON, sys.implementation.name, str(self.folder), *self._what]
        parts += [_read(REPOSITORY / "pyproject.toml"), _read(self._pins)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _is_ready(self, wanted: str) -> bool:
        return _read(self._stamp) == wanted and self.python.exists()

    def _install(self) -> None:
        print(
            f"Preparing {self.folder} with Python {_PYTHON}; the next start is quick.", flush=True
        )
        if _read(self._stamp) == _INSTALLING or not self._fits():
            self._move_away()
        self.folder.mkdir(exist_ok=True)
        self._stamp.write_text(_INSTALLING, "utf-8")
        pip = [str(self.python), "-m", "pip"]
        first_pip = pip if self._has_pip() else self._make()
        # What is imported is compiled then, most of it never. Pythons bring a pip that may be years
        # old: a newer one takes half as long for the rest.
        install = ["install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        self._run([*first_pip, *install, "-c", str(CONSTRAINTS), "pip"], NO_PACKAGES)
        self._run([*pip, *install, "-c", str(self._pins), *self._what], NO_PACKAGES)

    def _make(self) -> Sequence[str]:
        """Make it, and answer with the pip to begin with: that of the Python which makes it, if
        there is one, is ready at once; to unpack the one that comes with venv takes longer than
        all else here.
        """
        make = [sys.executable, "-m", "venv", str(self.folder)]
        if find_spec("pip") is None:
            self._run(make, NO_VENV)
            return [str(self.python), "-m", "pip"]
        self._run([*make, "--without-pip"], NO_VENV)
        return [sys.executable, "-m", "pip", "--python", str(self.folder)]

    def _run(self, command: Sequence[str], complaint: str) -> None:
        # `-c` does not reach the isolated environment that pip builds in; these two do, the first
        # in older pips, the second in newer ones. As a URL, because pip splits them at spaces.
        pins = self._pins.as_uri()
        env = {**os.environ, "PIP_CONSTRAINT": pins, "PIP_BUILD_CONSTRAINT": pins}
        try:
            code = subprocess.run(command, env=env, check=False).returncode
        except KeyboardInterrupt:
            print("\nInterrupted; the next start begins the installation anew.")
            sys.exit(130)
        if code > 0:  # it ended by itself and said why: what is there is whole, and may stay
            self._stamp.unlink()
        if code != 0:
            sys.exit(complaint)

    def _fits(self) -> bool:
        """Whether it is of this Python, and was made here: its programs name the folder."""
        settings = _read(self.folder / "pyvenv.cfg")
        made = [line for line in settings.splitlines() if line.startswith("command = ")]
        if made and not made[0].endswith(f" {self.folder}"):
            return False
        packed = settings.replace(" ", "")
        return f"version={_PYTHON}." in packed or f"version_info={_PYTHON}." in packed

    def _has_pip(self) -> bool:
        if not self.python.exists():
            return False
        asked = [str(self.python), "-m", "pip", "--version"]
        return subprocess.run(asked, check=False, capture_output=True).returncode == 0

    def _move_away(self) -> None:
        # Renamed first: that is all or nothing, while a removal may stop half way at an open file.
        old = self.folder.with_name(self.folder.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        try:
            self.folder.rename(old)
        except FileNotFoundError:
            return
        except OSError as error:
            sys.exit(IN_USE.format(folder=self.folder, error=error))
        shutil.rmtree(old, ignore_errors=True)


def _project(extra: str) -> Sequence[str]:
    return ["--editable", f"{REPOSITORY}[{extra}]"]


SERVER = Environment(REPOSITORY / ".venv", _project("test"))  # who writes plans tests them
DEVELOPMENT = Environment(REPOSITORY / ".venv-dev", _project("dev"))


def hand_over(command: Sequence[str]) -> NoReturn:
    """Become `command`: signals reach it, and its exit code is that of this script."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], list(command))  # noqa: S606 - no shell is wanted
    child = subprocess.Popen(command)
    while True:
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:
            continue  # the console has sent the Ctrl-C to the child as well, and that ends by it


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        return ""


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Wait for any other script that installs; the system frees the lock of one that dies."""
    with lock.open("a") as file:
        if sys.platform == "win32":
            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError:
                    continue  # it gives up after ten seconds; an installation may take longer
        else:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
