"""`aura backup` and `aura restore`.

Imports pytest and tests/cli/command.py.
"""

import io
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Aura, ServerProcess
from tests.cli.conftest import StartServer
from tests.serving import write_plan

PIN = "fish and chips"
TASK = """
meta: {inputs: [{name: pin, type: string, secret: true}]}
steps: {it: {action: set, params: {length: "{{ inputs.pin | length }}"}}}
returns: "{{ nodes.it.output.length }}"
"""


@pytest.fixture
def offline(tmp_path: Path) -> Aura:
    """`aura` where no server is."""
    return Aura("http://127.0.0.1:1", tmp_path)


@pytest.fixture
def waiting(start_server: StartServer, tmp_path: Path) -> tuple[ServerProcess, str]:
    """A server that starts no run, and a run with a secret that waits in it."""
    write_plan(tmp_path / "plans", "safe", {"keep": TASK})
    server = _server(start_server, tmp_path, "data", "--no-start")
    run = Aura(server.url, tmp_path)("run", "safe", "keep", "-i", f"pin={PIN}", "--json").json
    return server, run["cid"]


def _server(start_server: StartServer, folder: Path, data: str, *options: str) -> ServerProcess:
    plans = str(folder / "plans")
    return start_server("--data-dir", str(folder / data), "--plans", plans, *options)


def _run(server: ServerProcess, folder: Path, cid: str) -> Any:
    return Aura(server.url, folder)("runs", "show", cid, "--json").json


def _backed_up(offline: Aura, folder: Path) -> Path:
    file = folder / "backup.tar"
    told = offline("backup", str(file), "--data-dir", str(folder / "data"), "--json")
    assert told.code == 0, told
    assert told.json == {"file": str(file), "size_bytes": file.stat().st_size}
    assert file.stat().st_mode & 0o077 == 0
    return file


def test_what_a_running_server_holds_goes_on_elsewhere(
    start_server: StartServer, waiting: tuple[ServerProcess, str], offline: Aura, tmp_path: Path
) -> None:
    server, cid = waiting
    file = _backed_up(offline, tmp_path)
    later = Aura(server.url, tmp_path)("run", "safe", "keep", "-i", "pin=later", "--json").json
    server.kill()
    assert "restored" in offline.ok("restore", str(file), "--data-dir", str(tmp_path / "new"))
    second = Aura(_server(start_server, tmp_path, "new").url, tmp_path)
    assert second("logs", "-f", cid).code == 0
    assert second("runs", "show", cid, "--json").json["result"] == len(PIN)
    assert second("runs", "show", later["cid"]).code == 1
    assert PIN.encode() not in file.read_bytes()


def test_a_restore_keeps_what_was_there(
    waiting: tuple[ServerProcess, str], offline: Aura, tmp_path: Path
) -> None:
    server, cid = waiting
    file = _backed_up(offline, tmp_path)
    words = ("restore", str(file), "--data-dir", str(tmp_path / "data"))
    in_use = offline(*words, "--replace")
    assert (in_use.code, "Another server has the database" in in_use.err) == (1, True)
    server.kill()  # what was committed last is in the journal beside the database
    there = offline(*words)
    assert (there.code, "--replace" in there.err) == (1, True)
    assert offline(*words, "--replace").code == 0
    for name in ("aura.db", "aura.db.before-restore"):
        with closing(sqlite3.connect(tmp_path / "data" / name)) as database:
            assert database.execute("SELECT cid FROM runs").fetchall() == [(cid,)]
    again = offline(*words, "--replace")
    assert (again.code, "an earlier restore" in again.err) == (1, True)
    assert [path.name for path in tmp_path.glob("**/*.part")] == []


def test_a_backup_is_never_written_over(
    waiting: tuple[ServerProcess, str], offline: Aura, tmp_path: Path
) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("mine", "utf-8")
    refused = offline("backup", str(file), "--data-dir", str(tmp_path / "data"))
    assert (refused.code, file.read_text("utf-8")) == (1, "mine")
    assert "a name of its own" in refused.err
    nowhere = offline(
        "backup", str(tmp_path / "no" / "where"), "--data-dir", str(tmp_path / "data")
    )
    assert (nowhere.code, "cannot be written" in nowhere.err) == (1, True)
    missing = offline("backup", str(tmp_path / "backup.tar"), "--data-dir", str(tmp_path / "none"))
    assert (missing.code, "There is no database" in missing.err) == (1, True)
    assert not (tmp_path / "backup.tar").exists()


def _archive(folder: Path, name: str, content: Path) -> Path:
    file = folder / "made.tar"
    with tarfile.open(file, "w") as archive:
        archive.add(content, name)
    return file


def _database(folder: Path, offline: Aura) -> Path:
    """A database that this version has made."""
    data = folder / "source"
    words = ("token", "create", "--scope", "read", "--data-dir", str(data))
    assert offline(*words, AURA_URL=None).code == 0
    return data / "aura.db"


@pytest.mark.parametrize("harm", ["newer", "foreign", "damaged", "cut", "no tar", "no database"])
def test_what_is_no_sound_backup_changes_nothing(harm: str, offline: Aura, tmp_path: Path) -> None:
    database = _database(tmp_path, offline)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        if harm == "newer":
            connection.execute("PRAGMA user_version = 9999")
        if harm == "foreign":
            connection.execute("PRAGMA application_id = 1")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = database.read_bytes()
    if harm == "damaged":
        database.write_bytes(content[:8192] + bytes(8192) + content[16_384:])
    if harm == "cut":
        database.write_bytes(content[: len(content) // 2])
    file = _archive(tmp_path, "other" if harm == "no database" else "aura.db", database)
    if harm == "no tar":
        file.write_bytes(content)
    refused = offline("restore", str(file), "--data-dir", str(tmp_path / "new"))
    said = {
        "newer": "written by a newer version",
        "foreign": "another program",
        "damaged": "damaged",
        "cut": "cannot be read",
        "no tar": "no backup of Aura",
        "no database": "there is no aura.db in it",
    }[harm]
    assert (refused.code, said in refused.err) == (1, True), refused
    assert not (tmp_path / "new" / "aura.db").exists()


def test_names_in_a_backup_lead_nowhere(offline: Aura, tmp_path: Path) -> None:
    """What a tar may say of places and links is not listened to."""
    database = _database(tmp_path, offline)
    file = tmp_path / "made.tar"
    with tarfile.open(file, "w") as archive:
        archive.add(database, "../../aura.db")
        link = tarfile.TarInfo("aura.db")
        link.type = tarfile.SYMTYPE
        link.linkname = str(database)
        archive.addfile(link)
    refused = offline("restore", str(file), "--data-dir", str(tmp_path / "new"))
    assert refused.code == 1
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["aura.db.lock"]


def test_a_backup_with_holes_fills_no_disk(offline: Aura, tmp_path: Path) -> None:
    """A tar may say of a file of some bytes that it has a million zeros more."""
    file = tmp_path / "made.tar"
    member = tarfile.TarInfo("aura.db")
    member.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1"}
    member.pax_headers |= {"GNU.sparse.map": "0,1,9000000,1", "GNU.sparse.size": "9000001"}
    member.size = 2
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(b"ab"))
    refused = offline("restore", str(file), "--data-dir", str(tmp_path / "new"))
    assert (refused.code, "is larger" in refused.err) == (1, True), refused
