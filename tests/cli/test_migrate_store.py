"""`aura migrate-store`: what it says. What it does is tested in tests/store/test_transfer.py.

Imports pytest, the databases of tests and tests/cli/command.py.
"""

from contextlib import closing
from pathlib import Path

import pytest

from aura_aio.store.sqlite.database import SqliteDatabase
from tests.cli.command import Aura
from tests.postgres_server import new_database
from tests.store.sqlite.damage import filled

LINE = "INSERT INTO logs (seq, timestamp, level, logger, message) VALUES (1, 2.5, 20, 'task', ?)"


@pytest.fixture
def offline(tmp_path: Path) -> Aura:
    """`aura` where no server is, with a database in the folder `data`."""
    (tmp_path / "data").mkdir()
    filled(tmp_path / "data" / "aura.db")
    with closing(SqliteDatabase(tmp_path / "data" / "aura.db")) as database:
        database.writer.execute(LINE, ("a\0b",))
    return Aura("http://127.0.0.1:1", tmp_path)


def test_it_tells_each_table_and_what_belongs_to_it(offline: Aura, tmp_path: Path) -> None:
    url = new_database()
    there = url.secret.replace("postgres:@", "postgres:geheim@")
    assert there != url.secret
    for name in ("secrets.key", "plans"):
        (tmp_path / "data" / name).mkdir()
    told = offline.ok("migrate-store", "sqlite:data/aura.db", there, "--data-dir", "data")
    lines = [line.split() for line in told.splitlines()]
    assert ["definitions", "1"] in [line[:2] for line in lines]
    assert ["runs", "0", "0" * 16] in lines
    assert f"moved  {tmp_path}/data/aura.db to {url}: 3 rows, the same there" in told
    assert "changed  1 rows had the character 0" in told
    assert f"beside it  {tmp_path}/data/secrets.key, {tmp_path}/data/plans: take it along" in told
    assert "next  start the server with --database of the new one" in told
    back = offline("migrate-store", there, "back.db", "--json")
    assert (back.code, back.json["from"], back.json["to"]) == (0, str(url), f"{tmp_path}/back.db")
    assert [each for each in back.json["tables"] if each["rows"]][-1]["table"] == "logs"
    assert (back.json["beside"], back.json["lost_key"], back.json["changed_rows"]) == ([], None, 0)
    again = offline("migrate-store", "sqlite:back.db", there)
    assert (again.code, "There is something in" in again.err) == (1, True)
    assert "geheim" not in told + back.out + again.err


def test_a_key_that_is_missing_is_told(offline: Aura, tmp_path: Path) -> None:
    run = (
        "INSERT INTO runs (cid, plan_name, task_name, definition_digest, state, attempt, priority, "
        "arrival, created_at, ready_at, delayed, on_crash, inputs, sealed) "
        "VALUES ('c', 'p', 't', 'd', 'failed', 1, 0, 'c', 0, 0, 0, 'fail', x'7b7d', x'00')"
    )
    with closing(SqliteDatabase(tmp_path / "data" / "aura.db")) as database:
        database.writer.execute(run)
    words = ("sqlite:data/aura.db", f"sqlite://{tmp_path}/new.db")
    told = offline.ok("migrate-store", *words)
    assert f"missing  {tmp_path}/.aura/secrets.key" in told
    assert "beside it" not in told


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (("none.db", "new.db"), "There is no database"),
        (("data/aura.db", "sqlite:data/aura.db"), "to itself"),
        (("data/aura.db", "mysql://x"), "this version stores in SQLite"),
        (("data/aura.db", "postgresql://u@127.0.0.1:1/x"), "cannot be used"),
    ],
)
def test_what_is_refused_is_told(ends: tuple[str, str], said: str, offline: Aura) -> None:
    done = offline("migrate-store", *ends)
    assert (done.code, done.out) == (1, "")
    assert said in done.err
