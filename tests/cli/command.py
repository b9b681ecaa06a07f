"""The command `aura` as a user runs it, and servers of their own processes for it to talk to.

Imports pytest, tests/aura_forks.py, tests/programs.py and tests/waiting.py.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from click.testing import CliRunner

from aura_aio.cli.aura import aura
from tests.aura_forks import start_aura
from tests.programs import WITHOUT_OURS
from tests.waiting import until_sync

REPOSITORY = Path(__file__).resolve().parent.parent.parent
LIMIT_SEC = 60


def environment(**more: str) -> dict[str, str]:
    """The environment for a command: nothing of Aura's in it, this tree to import, UTC."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AURA_") and name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")
    }
    kept |= {"PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": "utf-8", "TZ": "UTC"}
    kept["PYTEST_ADDOPTS"] = WITHOUT_OURS
    return kept | more


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Aura:
    """Runs `aura` against one server: in this process, which is quick, unless a test needs one."""

    url: str
    cwd: Path
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, stdin: str = "", **env: str | None) -> Done:
        """Run a command to its end, whatever its exit code; a variable that is None is not set."""
        absent = {name: None for name in os.environ if name.startswith("AURA_")}
        with chdir(self.cwd):
            done = CliRunner().invoke(
                aura,
                words,
                input=stdin,
                env={**absent, "AURA_URL": self.url, **self.env, **env},
                prog_name="aura",
                catch_exceptions=False,
            )
        return Done(done.exit_code, done.stdout, done.stderr)

    def process(self, *words: str, stdin: str = "", **env: str) -> Done:
        """Run a command to its end in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "aura_aio", *words],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            cwd=self.cwd,
            env=self.environment(**env),
            timeout=LIMIT_SEC,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str) -> str:
        """Run a command that must succeed; its stdout."""
        done = self(*words)
        assert done.code == 0, done
        return done.out

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a command that talks to this server."""
        return environment(AURA_URL=self.url, **self.env, **more)

    def run(self, *words: str) -> str:
        """Run a task of the plan `probe` to its successful end; the cid."""
        done = self("run", "probe", *words, "--wait", "--json")
        assert done.code == 0, done
        cid: str = done.json["cid"]
        return cid

    @contextmanager
    def started(self, *words: str) -> "Iterator[Started]":
        """A command that goes on while the context is open."""
        with Started(*words, cwd=self.cwd, env=self.environment()) as command:
            yield command

    def status(self, cid: str) -> str:
        """The status of a run."""
        word: str = self("runs", "show", cid, "--json").json["status"]
        return word


class Started:
    """A command whose output can be read while it goes on."""

    def __init__(self, *words: str, cwd: Path, env: dict[str, str]) -> None:
        # Files, not pipes: nobody has to read for it to go on.
        self._out, self._err = cwd / f"out-{id(self)}", cwd / f"err-{id(self)}"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = start_aura(*words, cwd=cwd, env=env, stdout=out, stderr=err)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    @property
    def out(self) -> str:
        """What it has written to stdout so far."""
        return self._out.read_bytes().decode()

    @property
    def err(self) -> str:
        """What it has written to stderr so far."""
        return self._err.read_bytes().decode()

    def says(self, text: str, within: float = 20) -> None:
        """Wait until `text` stands in its output."""
        try:
            until_sync(lambda: text in self.out + self.err, within)
        except AssertionError:
            raise AssertionError(f"{text!r} is not in {self.out!r} {self.err!r}") from None

    def interrupt(self) -> None:
        """Do what Ctrl-C does."""
        if sys.platform == "win32":
            pytest.skip("a process there can't be sent the signal of Ctrl-C alone")
        self.process.send_signal(signal.SIGINT)

    def code(self, within: float = 30) -> int:
        """Wait for its end; the exit code."""
        return self.process.wait(within)


class ServerProcess(Started):
    """`aura serve` that is ready."""

    def __init__(self, cwd: Path, *words: str) -> None:
        serve = ["serve", "--json", "--workers", "1", *words]
        super().__init__(*serve, cwd=cwd, env=environment())
        try:
            until_sync(lambda: "\n" in self.out or self.process.poll() is not None, 30)
            self.places: dict[str, str] = json.loads(self.out)
        except (AssertionError, ValueError):
            self.__exit__()
            raise AssertionError(f"the server did not start: {self.err}") from None

    @property
    def url(self) -> str:
        """Where it is."""
        return self.places["url"]

    def stop(self) -> int:
        """End it as a supervisor does; its exit code."""
        self.process.terminate()
        return self.code()

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait()
