"""The contract under fire: Schemathesis reads it, and calls a server that runs as users start it.

Imports pytest and `server_process`. What the tool is told stands in `schemathesis.toml` and
`schemathesis_hooks.py`.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from tests.contract.schemathesis_hooks import CALLBACK_HOST, FINISHED_CID
from tests.server_process import ServerProcess, server_process
from tests.serving import EXAMPLES

HERE = Path(__file__).resolve().parent
FOUND_NOTHING, FOUND_SOMETHING = 0, 1


@pytest.mark.timeout(300)  # half a minute on a machine that does nothing else
async def test_a_short_campaign_finds_nothing(tmp_path: Path) -> None:
    """All phases and all checks, a few examples of each operation, another choice each time."""
    async with server_process(tmp_path, str(EXAMPLES), *_ALONE) as server:
        code, told = await _campaign(server, max_examples=3)
    assert code == FOUND_NOTHING, told


@pytest.mark.slow
@pytest.mark.timeout(6 * 3600)
async def test_a_long_campaign_finds_nothing(tmp_path: Path) -> None:
    """The same with 2,000 examples of each operation."""
    async with server_process(tmp_path, str(EXAMPLES), *_ALONE) as server:
        code, told = await _campaign(server, max_examples=2000)
    assert code == FOUND_NOTHING, told


async def test_the_campaign_finds_what_is_there(tmp_path: Path) -> None:
    """Told of a property that no answer has, it says so: a campaign can fail."""
    promised = (HERE.parents[1] / "openapi.yaml").read_text("utf-8")
    lying = tmp_path / "lying.yaml"
    lying.write_text(promised.replace("required: [status]", "required: [status, mood]"), "utf-8")
    async with server_process(tmp_path / "data", str(EXAMPLES), *_ALONE) as server:
        options = ("--include-operation-id", "getHealth", "--phases", "fuzzing")
        code, told = await _campaign(server, *options, max_examples=1, document=str(lying))
    assert code == FOUND_SOMETHING, told
    assert "'mood'" in told or '"mood"' in told


_ALONE = ("--workers", "1", "--require-token", "never", "--callback-hosts", CALLBACK_HOST)
"""A token that the campaign makes must not lock it out, and what it makes up is not called."""


async def _campaign(
    server: ServerProcess, *options: str, max_examples: int, document: str = ""
) -> tuple[int, str]:
    """Exit code and output of Schemathesis against `server`."""
    run = await server.done("hello", "greet", inputs={"name": "Ada"})
    command = [sys.executable, "-m", "schemathesis.cli"]
    command += ["--config-file", str(HERE / "schemathesis.toml"), "run", "--no-color"]
    command += [document or f"{server.url}/openapi.yaml", "--url", server.url]
    command += ["--workers", "1", "--max-examples", str(max_examples), *options]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=HERE.parents[1],
        env={**os.environ, FINISHED_CID: run["cid"]},
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, told.decode()
