"""Hosts that get runs as jobs, and hosts that take them by themselves, on one database: it can be
changed one host after the other.

Imports `tests.crash.fleet`.
"""

from pathlib import Path

from tests.crash.fleet import Fleet


async def test_what_a_host_without_jobs_accepts_is_offered_by_those_with(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    async with fleet.server("--api-only") as first:
        async with fleet.worker("--plans", fleet.plans, "--dispatcher", "procrastinate"):
            for _ in range(2):  # by the second one the host has nothing more to look at by itself
                run = await first.done("probe", "echo", inputs={"text": "by a job"})
                assert run["result"]["text"] == "by a job"
        async with fleet.worker("--plans", fleet.plans):
            assert (await first.done("probe", "echo", inputs={"text": "again"}))["attempt"] == 1
