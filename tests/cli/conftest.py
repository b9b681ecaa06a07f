"""A server in a process of its own with a plan that does what the tests ask for, and `aura`.

Imports pytest and tests/cli/command.py.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.command import REPOSITORY, Aura, ServerProcess

PLANS = Path(__file__).parent / "plans"

StartServer = Callable[..., ServerProcess]


@pytest.fixture(autouse=True)
def blockbuster() -> None:
    """Let commands block the event loop, which is all theirs."""


@pytest.fixture(scope="session")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plans `probe` and `broken`; a copy, because plans have data folders."""
    folder = tmp_path_factory.mktemp("plans")
    shutil.copytree(PLANS, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, plans: Path) -> Iterator[ServerProcess]:
    """The server that tests share which leave it as it was."""
    folder = tmp_path_factory.mktemp("server")
    words = ["--port", "0", "--plans", str(REPOSITORY / "plans"), "--plans", str(plans)]
    with ServerProcess(folder, *words, "--shutdown-grace-sec", "0") as process:
        yield process


@pytest.fixture
def aura(server: ServerProcess, tmp_path: Path) -> Aura:
    """`aura`, for the shared server."""
    return Aura(server.url, tmp_path)


@pytest.fixture
def start_server(tmp_path: Path, plans: Path) -> Iterator[StartServer]:
    """Starts a server of the test's own, with the options that are given to it."""
    with ExitStack() as stack:

        def start(*words: str, port: int = 0) -> ServerProcess:
            options = ["--port", str(port), "--plans", str(plans), "--shutdown-grace-sec", "0"]
            return stack.enter_context(ServerProcess(tmp_path, *options, *words))

        yield start
