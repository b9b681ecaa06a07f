"""Programs that a test starts beside itself, and that end by themselves.

Imports the standard library only.
"""

import asyncio
import os
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

WITHOUT_OURS = "-p no:schemathesis -p no:aiohttp -p no:hypothesispytest"
"""For PYTEST_ADDOPTS where tests of plans are run: of the plugins that are here for our own tests,
those whose import takes two thirds of the time of such a run.
"""


async def run_program(
    *command: str | Path, cwd: Path = REPOSITORY, **variables: str
) -> tuple[int, str]:
    """The exit code, and what was said on both outputs. The program has `variables` beside those of
    the test, but none of Aura's; it is killed when the test ends before it.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("AURA_")}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env={**own, **variables}, stdout=PIPE, stderr=STDOUT
    )
    try:
        told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, told.decode()
