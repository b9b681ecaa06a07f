"""What we say ourselves to Procrastinate's tables, where its public interface lacks it.

All of it, so that one page tells what a new version of Procrastinate may break; the test of each
supported version runs it. May import `connection` and the standard library only.
"""

from typing import Final

from aura_aio.store.postgres.connection import JOBS_SCHEMA

PRESENT: Final = """
    SELECT id, args ->> 'cid', CAST(args ->> 'attempt' AS INTEGER), queue_name, priority,
        status = 'todo'
    FROM procrastinate_jobs WHERE status IN ('todo', 'doing')
"""
"""`list_jobs` takes one status, and a transaction of its own."""
REORDER: Final = """
    UPDATE procrastinate_jobs SET priority = %s WHERE id = %s AND status = 'todo'
"""
"""Nothing changes the priority of a job that waits. This is all that we write by ourselves."""
FETCH: Final = """
    SELECT (job).id, (job).args FROM (
        SELECT procrastinate_fetch_job_v2(%(queues)s::varchar[], %(worker_id)s) AS job
        FROM generate_series(1, %(most)s) OFFSET 0
    ) AS fetched
    WHERE (job).id IS NOT NULL
"""
"""`fetch_job` takes one, with a round trip for each."""
FINISH: Final = """
    SELECT procrastinate_finish_job_v1(id, 'succeeded', true) FROM procrastinate_jobs
    WHERE id = ANY(%(ids)s) AND status = 'doing'
"""
"""`finish_job` finishes one, and raises if it is not there any more."""
IS_THERE: Final = "SELECT COUNT(*) AS n FROM procrastinate_workers WHERE id = %(worker_id)s"
"""`update_heartbeat` does not say whether there is such a worker."""
SILENT: Final = """
    SELECT id FROM procrastinate_workers
    WHERE last_heartbeat < NOW() - (%(silent_sec)s || ' SECOND')::INTERVAL
"""
"""`prune_stalled_workers` forgets them without asking."""
COUNTS: Final = f"""
    SELECT COUNT(*) FILTER (WHERE status = 'todo'), COUNT(*) FILTER (WHERE status = 'doing'),
        (SELECT COUNT(*) FROM {JOBS_SCHEMA}.procrastinate_workers)
    FROM {JOBS_SCHEMA}.procrastinate_jobs
"""  # noqa: S608 - a constant
"""For `aura doctor`, which sets no search path."""
FUNCTIONS: Final = """
    SELECT proname FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE nspname = %s
"""
"""There is no number of the version in its tables: the names of its functions have one each."""
