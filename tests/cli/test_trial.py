"""`aura serve --check`: what would keep a server from starting, found without one.

Imports pytest and tests/cli/command.py.
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.command import Aura
from tests.postgres_server import connected, new_database


def a_newer_database(data: Path) -> None:
    """One whose version is not known yet."""
    with closing(sqlite3.connect(data / "aura.db")) as connection:
        connection.executescript("PRAGMA application_id = 0x41757261; PRAGMA user_version = 9999;")


def a_foreign_database(data: Path) -> None:
    """One that another program has made."""
    with closing(sqlite3.connect(data / "aura.db")) as connection:
        connection.execute("CREATE TABLE recipes (name)")


def a_broken_key(data: Path) -> None:
    """A file of the right name, for its owner alone."""
    path = data / "secrets.key"
    path.touch(mode=0o600)
    path.write_text("no key", "utf-8")


def a_public_key(data: Path) -> None:
    """One that everybody can read."""
    (data / "callbacks.key").touch()
    (data / "callbacks.key").chmod(0o644)


def nothing(_: Path) -> None:
    """The fault is in the options."""


@pytest.mark.parametrize(
    ("make", "options", "said"),
    [
        (a_newer_database, (), "was written by a newer version of Aura"),
        (a_foreign_database, (), "is the database of another program"),
        (a_broken_key, (), "holds no key"),
        (a_public_key, (), "everybody on this machine can get at it"),
        (nothing, ("--data-dir", "a_file"), "a_file is no folder"),
        (nothing, ("--host", "0.0.0.0"), "aura token create --scope admin --data-dir data"),
        (nothing, ("--config", "broken.toml"), "broken.toml"),
        (nothing, ("--database", "mysql://x"), "this version stores in SQLite (give"),
    ],
)
def test_what_would_keep_it_from_starting_is_said(
    make: Callable[[Path], None], options: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (tmp_path / "a_file").touch()
    (tmp_path / "broken.toml").write_text("[http", "utf-8")
    make(data)
    before = contents(tmp_path)
    done = Aura("", tmp_path)("serve", "--check", "--data-dir", "data", *options)
    assert (done.code, done.out) == (1, "")
    assert said in done.err
    assert contents(tmp_path) == before


def test_what_would_start_is_only_tried(tmp_path: Path, plans: Path) -> None:
    """A broken plan keeps no server from starting, and is told."""
    words = "serve", "--check", "--json", "--data-dir", str(tmp_path / "data")
    done = Aura("", tmp_path)(*words, "--plans", str(plans))
    assert (done.code, json.loads(done.out)) == (0, {"ok": True})
    assert "place=broken/tasks/bad.yaml:3:13" in done.err
    assert contents(tmp_path) == {}


def test_who_has_a_token_would_come_in(tmp_path: Path) -> None:
    aura = Aura("http://127.0.0.1:1", tmp_path)
    made = aura("token", "create", "--scope", "admin", "--data-dir", "data", AURA_URL=None)
    assert made.code == 0, made
    assert aura("serve", "--check", "--data-dir", "data", "--host", "0.0.0.0").code == 0


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_database_on_a_server_is_only_looked_at(tmp_path: Path) -> None:
    url = new_database()
    words = "serve", "--check", "--json", "--data-dir", str(tmp_path / "data")
    done = Aura("", tmp_path)(*words, AURA_DATABASE=url.secret)
    assert (done.code, json.loads(done.out)) == (0, {"ok": True}), done.err
    with closing(connected(url)) as connection:
        schemas = "SELECT 1 FROM pg_namespace WHERE nspname = 'aura'"
        assert connection.execute(schemas).fetchone() is None
        connection.execute("CREATE SCHEMA aura; CREATE TABLE aura.recipes (name text)")
    foreign = Aura("", tmp_path)(*words, "--database", url.secret)
    assert (foreign.code, "is that of another program" in foreign.err) == (1, True)
    away = Aura("", tmp_path)(*words, "--database", "postgresql://u:geheim@127.0.0.1:1/x")
    assert (away.code, "cannot be read" in away.err, "geheim" in away.err) == (1, True, False)
    assert contents(tmp_path) == {}
