"""Hosts that get runs as jobs of Procrastinate: who dies loses nothing, and nothing is done twice.

Imports the servers of tests and `tests.crash.fleet`.
"""

from contextlib import closing
from functools import partial
from pathlib import Path

from aura_aio.model.database_url import DatabaseUrl
from tests.crash.fleet import Fleet, host_of, running
from tests.postgres_server import connected
from tests.waiting import until

BY_JOBS = ("--dispatcher", "procrastinate")


async def test_what_a_host_had_that_is_killed_is_done_by_others(tmp_path: Path) -> None:
    """What it carried out begins anew, once; what was offered to it as well is done once."""
    fleet, lines = Fleet(tmp_path), tmp_path / "lines"
    async with fleet.server(*BY_JOBS) as one:
        stays = await one.run("twice", "hold", inputs={"gate": str(tmp_path / "gate")})
        at_first = host_of(await running(one, stays))
        async with fleet.worker(*BY_JOBS, "--plans", fleet.plans) as other:
            moves = await one.run("twice", "hold", inputs={"gate": str(tmp_path / "gate")})
            assert host_of(await running(one, moves)) != at_first
            waiting = [
                await one.run("probe", "count", inputs={"file": str(lines), "line": str(n)})
                for n in range(10)
            ]
            other.kill()
            (tmp_path / "gate").touch()
            runs = [await one.finished(cid, within=30) for cid in (stays, moves, *waiting)]
        assert {run["status"] for run in runs} == {"succeeded"}
        assert [run["attempt"] for run in runs] == [1, 2] + [1] * len(waiting)
        assert sorted(lines.read_text().split()) == sorted(map(str, range(10)))
        await until(partial(_no_job_is_left, fleet.url), within=10)


def _no_job_is_left(url: DatabaseUrl) -> bool:
    with closing(connected(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM aura_procrastinate.procrastinate_jobs")
        return bool(cursor.fetchall() == [(0,)])
