"""A short campaign against the server, with other faults each time.

Imports pytest and the standard library.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the faults need Linux (/proc, SIGSTOP)", allow_module_level=True)

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(600)
async def test_twenty_rounds_break_no_promise() -> None:
    """Each with a kill among its faults; what it prints has the seed that does the same again."""
    command = [sys.executable, "-m", "campaign", "--rounds", "20", "--seconds", "0.6"]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=REPOSITORY / "scripts", stdout=PIPE, stderr=STDOUT
    )
    try:
        told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, told.decode()
