"""`aura doctor`: each thing that it looks at is broken once, and it says so.

Imports pytest, tests/cli/command.py and tests/store/sqlite/damage.py.
"""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.aura_forks import AURA
from tests.cli.command import Aura
from tests.cli.conftest import StartServer
from tests.store.sqlite.damage import damage_rows, filled

if sys.platform != "win32":
    import resource

CHECKS = [
    "python", "libraries", "open files", "data folder", "disk", "database", "journal", "secrets",
    "clock", "plans", "tokens", "server",
]  # fmt: skip


class Patient:
    """A folder for data and plans, and what the doctor says of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / ".aura"
        self.database = self.data / "aura.db"
        self.aura = Aura("http://127.0.0.1:1", folder)
        self.words: list[str] = ["--port", "0"]

    def told(self) -> dict[str, Any]:
        """The findings by their check; the exit code must be that of them."""
        done = self.aura("doctor", "--json", *self.words, AURA_URL=None)
        found = {each["check"]: each for each in done.json["findings"]}
        is_well = all(each["verdict"] != "wrong" for each in found.values())
        assert (done.code, done.json["ok"]) == (0 if is_well else 1, is_well)
        assert all(("mend" in each) == (each["verdict"] != "ok") for each in found.values())
        return found

    def change(self, statement: str) -> None:
        """Change the database by hand."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute(statement)

    def token(self, *words: str) -> str:
        """Make a token; its id."""
        self.aura("token", "create", "--scope", "admin", *words, AURA_URL=None)
        tokens = self.aura("token", "list", "--json", AURA_URL=None).json["items"]
        return str(tokens[-1]["id"])


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    """One who is well."""
    patient = Patient(tmp_path)
    (tmp_path / "plans").mkdir()
    filled(patient.database)
    return patient


def test_one_who_is_well(patient: Patient) -> None:
    found = patient.told()
    assert list(found) == CHECKS
    assert {each["verdict"] for each in found.values()} == {"ok"}
    table = patient.aura("doctor", *patient.words, AURA_URL=None)
    assert (table.code, table.out.splitlines()[0].split()) == (0, ["CHECK", "VERDICT", "DETAIL"])


def test_a_new_one_is_well_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "plans").mkdir()
    patient = Patient(tmp_path)
    assert {each["verdict"] for each in patient.told().values()} == {"ok"}
    assert [each.name for each in tmp_path.iterdir()] == ["plans"]


def _newer(patient: Patient) -> None:
    patient.change("PRAGMA user_version = 999")


def _foreign(patient: Patient) -> None:
    patient.change("PRAGMA application_id = 7")


def _damaged(patient: Patient) -> None:
    damage_rows(patient.database)


def _no_database(patient: Patient) -> None:
    patient.database.write_text("Dear diary, " * 1_000, "utf-8")


def _lacking(patient: Patient) -> None:
    patient.change("DROP INDEX runs_ready")


def _no_folder(patient: Patient) -> None:
    shutil.rmtree(patient.data)
    patient.data.write_text("", "utf-8")
    patient.words += ["--database", str(patient.folder / "other.db")]


def _long_journal(patient: Patient) -> None:
    with patient.database.with_name("aura.db-wal").open("wb") as journal:
        journal.truncate(300 * 1024 * 1024)


def _public_key(patient: Patient) -> None:
    key = patient.data / "secrets.key"
    key.write_text("x", "utf-8")
    key.chmod(0o644)


def _public_database(patient: Patient) -> None:
    patient.data.chmod(0o755)


def _no_key(patient: Patient) -> None:
    patient.change(
        "INSERT INTO runs (cid, plan_name, task_name, definition_digest, state, attempt, priority,"
        " arrival, created_at, ready_at, delayed, on_crash, inputs, sealed) VALUES ('a', 'p', 't',"
        " 'd', 'failed', 1, 0, 'a', 0, 0, 0, 'fail', '{}', 'sealed')"
    )


def _public_settings(patient: Patient) -> None:
    file = patient.folder / "aura.toml"
    file.write_text('[client]\ntoken = "aura_1"\n', "utf-8")
    file.chmod(0o644)


def _missing_secrets(patient: Patient) -> None:
    patient.words += ["--secrets-file", "nowhere.env"]


def _late(patient: Patient) -> None:
    patient.change(
        "INSERT INTO audit (at, operation, outcome, by_name, run_count)"
        " VALUES (unixepoch() + 3600, 'x', 'done', 'x', 0)"
    )


def _broken_plan(patient: Patient) -> None:
    file = patient.folder / "plans" / "hello" / "tasks" / "greet.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("steps: {a: {action: nothing_like_it}}", "utf-8")


def _no_plans(patient: Patient) -> None:
    (patient.folder / "plans").rmdir()


def _no_token(patient: Patient) -> None:
    patient.words += ["--host", "0.0.0.0"]


def _ended_token(patient: Patient) -> None:
    token = patient.token()
    patient.aura("token", "revoke", token, AURA_URL=None)


def _never_a_token(patient: Patient) -> None:
    patient.words += ["--host", "0.0.0.0", "--require-token", "never"]


def _no_such_setting(patient: Patient) -> None:
    (patient.folder / "aura.toml").write_text("[http]\nprot = 1\n", "utf-8")


def _other_database(patient: Patient) -> None:
    patient.words += ["--database", "mysql://me:geheim@localhost/aura"]


def _no_postgres(patient: Patient) -> None:
    patient.words += ["--database", "postgres://me:geheim@127.0.0.1:1/aura"]


def _host_of_others(patient: Patient) -> None:
    patient.token()
    patient.words += ["--host", "192.0.2.1", "--port", "1"]


class Case(NamedTuple):
    """What is broken, and what is to be said of it."""

    harm: Callable[[Patient], None]
    check: str
    detail: str
    mend: str
    verdict: str = "wrong"


CASES = [
    Case(_newer, "database", "newer version of Aura: its schema is 999", "Start that version"),
    Case(_foreign, "database", "of another program", "--database"),
    Case(_damaged, "database", "is damaged: ", "aura restore FILE"),
    Case(_no_database, "database", "cannot be read as a database", "aura restore FILE"),
    Case(_lacking, "database", "lacks runs_ready", "aura restore FILE"),
    Case(_no_folder, "data folder", "is no folder", "--data-dir"),
    Case(_long_journal, "journal", "300.0 MiB", "fuser", "warning"),
    Case(_public_key, "secrets", "everybody on this machine", "chmod o= "),
    Case(
        _public_database,
        "data folder",
        "everybody on this machine can read",
        "chmod o= ",
        "warning",
    ),
    Case(_no_key, "secrets", "secrets.key is missing", "backup"),
    Case(_public_settings, "secrets", "aura.toml", "chmod o= "),
    Case(_missing_secrets, "secrets", "nowhere.env cannot be read", "place"),
    Case(_late, "clock", "but the database was written to at", "timedatectl"),
    Case(_broken_plan, "plans", "greet.yaml:1:", "aura plans check"),
    Case(_no_plans, "plans", "there is no folder", "aura plans new", "warning"),
    Case(_no_token, "tokens", "none was made yet", "aura token create"),
    Case(_ended_token, "tokens", "every token has ended", "aura token create"),
    Case(_never_a_token, "tokens", "loopback", "--require-token"),
    Case(_no_such_setting, "settings", "no setting 'prot'", "aura config"),
    Case(_other_database, "settings", "mysql://…: this version stores in SQLite", "aura config"),
    Case(_no_postgres, "database", "postgres://me@127.0.0.1:1/aura cannot be read", "password are"),
    Case(_host_of_others, "server", "no server can listen on 192.0.2.1:1", "--host"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.harm.__name__.strip("_"))
def test_what_is_broken_is_said_with_what_to_do(case: Case, patient: Patient) -> None:
    case.harm(patient)
    found = patient.told()
    finding = found[case.check]
    assert finding["verdict"] == case.verdict, finding
    assert case.detail in finding["detail"]
    assert case.mend in finding["mend"]
    others = [each for name, each in found.items() if name != case.check]
    assert {each["verdict"] for each in others} == {"ok"}, others


@pytest.mark.parametrize(("free_mib", "verdict"), [(50, "wrong"), (500, "warning"), (5_000, "ok")])
def test_a_full_disk(
    free_mib: int, verdict: str, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(patient.folder)._replace(free=free_mib * 1024 * 1024)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert patient.told()["disk"]["verdict"] == verdict


def test_libraries_that_do_not_fit(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["aiohttp<1", "nothing-like-it>=2", "click>=8", "other; extra == 'x'"]
    monkeypatch.setattr(metadata, "requires", lambda _: wanted)
    finding = patient.told()["libraries"]
    assert finding["verdict"] == "wrong"
    assert "must be <1; nothing-like-it is missing" in finding["detail"]


def test_another_python(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.python_version", lambda: "3.9.1")
    assert patient.told()["python"]["verdict"] == "wrong"


@pytest.mark.skipif(sys.platform == "win32", reason="that system has no limit")
def test_few_open_files(patient: Patient) -> None:
    def allow_few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))

    done = subprocess.run(
        [*AURA, "doctor", *patient.words],
        capture_output=True,
        text=True,
        cwd=patient.folder,
        env=patient.aura.environment(),
        preexec_fn=allow_few,
        check=False,
    )
    assert done.returncode == 0, done
    assert "open files   warning  200 at the most" in done.stdout
    assert "LimitNOFILE" in done.stdout


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may do everything")
def test_a_folder_of_others(patient: Patient) -> None:
    patient.data.chmod(0o500)
    assert patient.told()["data folder"]["verdict"] == "wrong"


@contextmanager
def listening(answer: bytes | None) -> Iterator[int]:
    """A program on a port, which answers everything so, or never."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + (answer or b""))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answering) as other:
        if answer is not None:
            threading.Thread(target=other.serve_forever, args=(0.01,), daemon=True).start()
        yield other.server_port
        if answer is not None:
            other.shutdown()


@pytest.mark.parametrize(
    ("answer", "detail"), [(b"hello", "another program"), (b'{"status": "up"}', "another program")]
)
def test_the_port_of_another_program(answer: bytes, detail: str, patient: Patient) -> None:
    with listening(answer) as port:
        patient.words = ["--port", str(port)]
        finding = patient.told()["server"]
    assert (finding["verdict"], detail in finding["detail"]) == ("wrong", True)


def test_one_that_never_answers(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aura_aio.doctor.service.ANSWER_SEC", 0.05)
    with listening(None) as port:
        patient.words = ["--port", str(port)]
        finding = patient.told()["server"]
    assert (finding["verdict"], "does not answer" in finding["detail"]) == ("wrong", True)


def test_a_server_that_runs(start_server: StartServer, tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    server = start_server("--data-dir", str(patient.data))
    port = server.url.rpartition(":")[2]
    patient.words = ["--port", port, "--plans", str(tmp_path)]
    assert patient.told()["server"]["detail"] == f"it answers at {server.url}"
    patient.words += ["--data-dir", str(tmp_path / "other")]
    other = patient.told()["server"]
    assert (other["verdict"], "does not have this database" in other["detail"]) == ("warning", True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        elsewhere = str(free.getsockname()[1])
    patient.words = ["--port", elsewhere, "--plans", str(tmp_path)]
    silent = patient.told()["server"]
    assert (silent["verdict"], "has the database open" in silent["detail"]) == ("warning", True)
