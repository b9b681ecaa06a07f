"""What commands say when there is no server, or none of ours; and what they load to say it.

Imports pytest and tests/cli/command.py.
"""

import ast
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.cli.command import REPOSITORY, Aura, environment

COMMANDS = [
    ["runs"],
    ["runs", "show", "cid"],
    ["run", "hello", "greet"],
    ["run", "hello", "greet", "-i", "name=Ada", "--wait"],
    ["cancel", "cid"],
    ["retry", "cid"],
    ["queue"],
    ["queue", "priority", "cid", "1"],
    ["plans"],
    ["plans", "show", "hello"],
    ["logs"],
    ["logs", "cid", "-f"],
    ["system"],
    ["system", "start"],
]


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html>It works!</html>")


@pytest.fixture
def page() -> Iterator[str]:
    """The address of a web server that is not ours."""
    with HTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_server_is_a_sentence_and_code_1(tmp_path: Path, words: list[str]) -> None:
    done = Aura("http://127.0.0.1:1", tmp_path)(*words)
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines() == [
        "Error: No server answers at http://127.0.0.1:1 (connection refused).",
        "Start one with: aura serve",
        "Or say where it is with --url or AURA_URL.",
    ]


@pytest.mark.parametrize(
    "words",
    [
        ["--url", "http://127.0.0.1:2", "runs"],
        ["--token", "x", "--url=http://127.0.0.1:2", "runs", "show", "cid"],
        ["runs", "--url", "http://127.0.0.1:2", "show", "cid"],
        ["--url", "http://127.0.0.1:2", "logs", "--", "cid"],
    ],
    ids=" ".join,
)
def test_where_the_server_is_may_be_said_before_the_command(
    tmp_path: Path, words: list[str]
) -> None:
    done = Aura("http://127.0.0.1:1", tmp_path)(*words)
    assert (done.code, done.err.splitlines()[0]) == (
        1,
        "Error: No server answers at http://127.0.0.1:2 (connection refused).",
    )


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--url", "http://127.0.0.1:2", "rnus"], "Did you mean 'runs'?"),
        (["--url", "http://127.0.0.1:2", "serve"], "No such option '--url'."),
    ],
    ids=["no command", "no client"],
)
def test_what_does_not_ask_a_server_takes_no_address(
    tmp_path: Path, words: list[str], what: str
) -> None:
    done = Aura("http://127.0.0.1:1", tmp_path)(*words)
    assert done.code == 2
    assert what in done.err


@pytest.mark.parametrize("words", [["runs"], ["logs"], ["system", "start"]], ids=" ".join)
def test_a_server_that_is_not_ours_is_named(tmp_path: Path, page: str, words: list[str]) -> None:
    done = Aura("http://127.0.0.1:1", tmp_path)(*words, "--url", page)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"Error: {page}/")
    assert done.err.endswith("answered 200, but not as an Aura server does.\n")


def test_the_address_comes_from_the_settings_file_too(tmp_path: Path) -> None:
    (tmp_path / "aura.toml").write_text('[client]\nurl = "http://127.0.0.1:2/base/"\n', "utf-8")
    aura = Aura("", tmp_path)
    env = environment()
    done = subprocess.run(
        [sys.executable, "-m", "aura_aio", "runs"],
        cwd=aura.cwd,
        env=env,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "http://127.0.0.1:2/base/" in done.stderr


def loaded_by(*words: str) -> set[str]:
    """The modules that are loaded when `aura` with these words has ended."""
    code = (
        "import sys, atexit\n"
        "from aura_aio.cli import main\n"
        "atexit.register(lambda: print(*sorted(sys.modules)))\n"
        f"sys.argv = ['aura', *{words!r}]\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def test_help_is_quick_because_it_loads_little() -> None:
    found = loaded_by("--help")
    assert "aura_aio.cli.serve" in found
    assert not found & {"aiohttp", "aura_aio.server", "marshmallow", "jinja2", "sqlite3", "uvloop"}


def test_a_client_command_loads_nothing_of_the_server() -> None:
    found = loaded_by("runs", "--url", "http://127.0.0.1:1")
    assert "aura_aio.cli.client" in found
    assert "aiohttp" in found
    assert not found & {"aura_aio.server", "marshmallow", "jinja2", "sqlite3", "uvloop"}


BEYOND_THE_CONTRACT = {
    "serve.py": {"server", "secret_files", "handover", "worker"},
    "worker.py": {"worker_host", "secret_files", "worker"},  # it is the server
    "server_log.py": {"logs"},  # as the entries of its log stream
    "backup.py": {"backup", "places"},  # of the files on this machine
    "migrate_store.py": {"migrate_store", "places"},  # databases that no server has
    "token.py": {"maintenance"},  # the first token is made where no server is
    "doctor.py": {"doctor"},  # looks at this machine and its files
    "check.py": {"catalog"},  # plans on this machine, without a server
    "new_plan.py": {"catalog"},
    "reference.py": {"catalog"},  # the pages of docs/reference, made from the loader's words
    "plan_tests.py": {"catalog"},
    "action_reference.py": {"engine", "catalog"},  # a page of the documentation
}


def test_the_command_line_knows_the_server_by_its_contract_only() -> None:
    for file in (REPOSITORY / "aura_aio" / "cli").glob("*.py"):
        known = {"cli", "settings", "settings_table", "model"} | BEYOND_THE_CONTRACT.get(
            file.name, set()
        )
        tree = ast.parse(file.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aura_aio."):
                part = (node.module or "").split(".")[1]
                assert part in known, f"{file.name}:{node.lineno} imports {node.module}"
