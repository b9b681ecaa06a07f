"""`aura doctor` where the database is on a PostgreSQL server.

Imports pytest, psycopg, the databases of tests and tests/cli/command.py.
"""

import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aura_aio.doctor.findings import Verdict
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import StoreUnavailable
from tests.cli.command import Aura
from tests.postgres_server import connected, new_database, program
from tests.waiting import until_sync

pytest.importorskip("psycopg")

from aura_aio.doctor import upkeep
from aura_aio.store.postgres.condition import Condition, Dead, Open, Standby
from aura_aio.store.postgres.database import PostgresDatabase
from aura_aio.store.postgres.job_tables import prepare

OWN = ["database", "database clock", "standbys", "transactions", "vacuum", "connections"]
WELL = Condition((), None, None, vacuums=True, age=1, left=50)


class Patient:
    """A database, and what the doctor says of it to a user."""

    def __init__(self, url: DatabaseUrl, folder: Path) -> None:
        self.url = url
        self.user = "postgres"
        self._aura = Aura("http://127.0.0.1:1", folder)

    def told(self, **variables: str) -> dict[str, Any]:
        """The findings by their check."""
        url = self.url.secret.replace("postgres:@", f"{self.user}:@")
        done = self._aura(
            "doctor", "--port", "0", "--json", AURA_URL=None, AURA_DATABASE=url, **variables
        )
        found = {each["check"]: each for each in done.json["findings"]}
        assert done.code == any(each["verdict"] == "wrong" for each in found.values())
        return found


@pytest.fixture(scope="module")
def url() -> DatabaseUrl:
    """The database of all tests here, with a user who may do little."""
    url = new_database()
    with closing(connected(url)) as admin:
        admin.execute("DROP ROLE IF EXISTS small")
        admin.execute("CREATE ROLE small LOGIN CONNECTION LIMIT 4")
        admin.execute("GRANT CREATE ON DATABASE " + admin.info.dbname + " TO small")
    return url


@pytest.fixture
def patient(url: DatabaseUrl, tmp_path: Path) -> Patient:
    """One who is well."""
    (tmp_path / "plans").mkdir()
    return Patient(url, tmp_path)


def test_one_who_is_well(patient: Patient) -> None:
    found = patient.told()
    assert [check for check in found if check in OWN] == OWN
    assert {found[check]["verdict"] for check in OWN} == {"ok"}
    assert "PostgreSQL" in found["database"]["detail"]
    assert "which the next start brings up" in found["database"]["detail"]


def test_jobs_that_hand_out_runs(patient: Patient) -> None:
    assert "jobs" not in patient.told()
    variables = {"AURA_DISPATCHER": "procrastinate"}
    assert "the next start makes its tables" in patient.told(**variables)["jobs"]["detail"]
    prepare(patient.url)
    prepare(patient.url)
    assert "0 offered, 0 at 0 hosts" in patient.told(**variables)["jobs"]["detail"]
    with closing(connected(patient.url)) as admin:
        admin.execute("DROP FUNCTION aura_procrastinate.procrastinate_fetch_job_v2")
    found = patient.told(**variables)["jobs"]
    assert (found["verdict"], "it lacks procrastinate_fetch_job_v2" in found["detail"]) == (
        "wrong",
        True,
    )
    with pytest.raises(StoreUnavailable, match="DROP SCHEMA aura_procrastinate CASCADE"):
        prepare(patient.url)


def test_a_transaction_that_is_left_open(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_LONG_SEC", 0.0)
    with closing(connected(patient.url)) as other:
        other.execute("SET application_name TO 'a report'")
        other.execute("BEGIN")
        pid = other.info.backend_pid
        finding = patient.told()["transactions"]
    assert finding["verdict"] == "warning"
    assert f"(process {pid} of a report)" in finding["detail"]


def test_few_connections_and_what_a_user_may_not_see(patient: Patient, tmp_path: Path) -> None:
    """Somebody follows: it is seen by who may, and also that it is not by who may not."""
    receive = [program("pg_receivewal"), "-d", patient.url.secret, "-D", str(tmp_path)]
    with subprocess.Popen([*receive, "--no-loop"]) as following:
        until_sync(lambda: "pg_receivewal" in str(seen(patient)))
        mine = patient.told()["standbys"]
        patient.user = "small"
        theirs = patient.told()
        following.kill()
    assert (mine["verdict"], mine["detail"]) == ("ok", "1, at the most 0.0 s behind")
    assert theirs["standbys"]["verdict"] == "warning"
    assert "how far pg_receivewal is behind" in theirs["standbys"]["detail"]
    assert theirs["connections"]["verdict"] == "warning"
    assert "3 more can be made" in theirs["connections"]["detail"]


def seen(patient: Patient) -> list[Any]:
    """Who follows."""
    with closing(connected(patient.url)) as admin:
        names = "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'"
        return list(admin.execute(names).fetchall())


def test_a_server_that_takes_no_writes(patient: Patient) -> None:
    with closing(connected(patient.url)) as admin:
        name = admin.info.dbname
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        try:
            finding = patient.told()["database"]
        finally:
            admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert finding["verdict"] == "wrong"
    assert f"{patient.url} takes no writes: default_transaction_read_only" in finding["detail"]
    assert "host1,host2" in finding["mend"]


def test_a_table_that_nobody_clears(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    patient.url = new_database()
    PostgresDatabase(patient.url, name="a server").close()
    monkeypatch.setattr(upkeep, "_MANY_DEAD", 50)
    with closing(connected(patient.url)) as admin:
        for dead, verdict in ((10, "ok"), (90, "warning")):
            rows = "SELECT n, '', '', '', 0 FROM generate_series(1, 100) AS n"
            admin.execute(f"INSERT INTO aura.idempotency {rows}")
            admin.execute("DELETE FROM aura.idempotency WHERE CAST(key AS int) <= %s", (dead,))
            admin.execute("SELECT pg_stat_force_next_flush()")
            assert patient.told()["vacuum"]["verdict"] == verdict
            admin.execute("TRUNCATE aura.idempotency; SELECT pg_stat_force_next_flush()")


@pytest.mark.parametrize(
    ("check", "condition", "verdict", "said"),
    [
        ("standbys", WELL, Verdict.OK, "none follows"),
        (
            "standbys",
            WELL._replace(standbys=(Standby("a", "streaming", 1, 0.5), Standby("b", "x", 0, None))),
            Verdict.OK,
            "2, at the most 0.5 s",
        ),
        (
            "standbys",
            WELL._replace(standbys=(Standby("a", "streaming", 1, 31.0),)),
            Verdict.WARNING,
            "a by 0 MiB, 31 s (streaming)",
        ),
        (
            "standbys",
            WELL._replace(standbys=(Standby("a", "catchup", 1 << 30, None),)),
            Verdict.WARNING,
            "a by 1,024 MiB (catchup)",
        ),
        ("transactions", WELL._replace(oldest=Open(299.0, "x")), Verdict.OK, "none"),
        ("transactions", WELL._replace(oldest=Open(600.0, "x")), Verdict.WARNING, "10 min (x)"),
        ("vacuum", WELL._replace(vacuums=False), Verdict.WARNING, "autovacuum is off"),
        ("vacuum", WELL._replace(age=1_100_000_000), Verdict.WARNING, "1,100,000,000"),
        ("vacuum", WELL._replace(age=1_900_000_000), Verdict.WRONG, "no more writes"),
        ("vacuum", WELL._replace(dead=Dead("t", 1, 200_000, 60.0)), Verdict.OK, "keeps up"),
        ("vacuum", WELL._replace(dead=Dead("t", 500_000, 200_000, None)), Verdict.OK, "keeps up"),
        ("vacuum", WELL._replace(dead=Dead("t", 1, 200_000, 3700.0)), Verdict.WARNING, "table t"),
        ("connections", WELL._replace(left=5), Verdict.OK, "5 more"),
        ("connections", WELL._replace(left=-1), Verdict.WARNING, "0 more"),
    ],
)
def test_what_is_too_much(check: str, condition: Condition, verdict: Verdict, said: str) -> None:
    found = {each.check: each for each in upkeep.findings(condition)}
    assert (found[check].verdict, said in found[check].detail) == (verdict, True), found[check]
    assert {each.verdict for each in found.values() if each.check != check} == {Verdict.OK}
