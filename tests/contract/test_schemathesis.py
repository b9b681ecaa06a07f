"""The contract under fire: Schemathesis reads it, and calls a server that runs as users start it.

Imports pytest, the contract and `server_process`. What the tool is told stands in
`schemathesis.toml` and `schemathesis_hooks.py`.
"""

import asyncio
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from aura_aio.contract.document import load_contract
from tests.contract.schemathesis_hooks import CALLBACK_HOST, FINISHED_CID
from tests.programs import run_program
from tests.server_process import ServerProcess, server_process
from tests.serving import EXAMPLES

HERE = Path(__file__).resolve().parent
CONTRACT = load_contract()
SOURCES = ("runTask", "createSchedule", "createToken")
_EACH_FOR_ITSELF = ("--phases", "examples,coverage,fuzzing")
_ONE_AFTER_ANOTHER = ("--phases", "stateful")
FOUND_NOTHING, FOUND_SOMETHING = 0, 1


@pytest.mark.timeout(300)  # half a minute on a machine that does nothing else
async def test_a_short_campaign_finds_nothing(tmp_path: Path) -> None:
    """All phases and all checks, a few examples of each operation, another choice each time. Of
    the ways from one operation to the next some are gone; all of them are in tests/api/test_links.
    """
    async with server_process(tmp_path / "1", str(EXAMPLES), *_ALONE) as server:
        code, told = await _campaign(server, *_EACH_FOR_ITSELF, max_examples=3)
    assert code == FOUND_NOTHING, told
    async with server_process(tmp_path / "2", str(EXAMPLES), *_ALONE) as server:
        code, told = await _campaign(server, *_ONE_AFTER_ANOTHER, max_examples=40)
    assert code == FOUND_NOTHING, told
    gone = re.search(r"API Links: +(\d+) covered", told)
    assert gone, told
    assert int(gone[1]) >= 3, told


@pytest.mark.slow
@pytest.mark.timeout(6 * 3600)
async def test_a_long_campaign_finds_nothing(tmp_path: Path) -> None:
    """The same with 2,000 examples of each operation, or as many as the variable
    TEST_MAX_EXAMPLES says; side by side on all cores (docs/decisions/0031).
    """
    most = int(os.environ.get("TEST_MAX_EXAMPLES", "2000"))
    cores = os.cpu_count() or 1
    free = asyncio.Semaphore(cores)
    parts = [*_shares(cores), _ONE_AFTER_ANOTHER]

    async def part(number: int, options: Sequence[str]) -> tuple[int, str]:
        async with free, server_process(tmp_path / str(number), str(EXAMPLES), *_ALONE) as server:
            return await _campaign(server, *options, max_examples=most)

    for code, told in await asyncio.gather(*(part(*each) for each in enumerate(parts))):
        assert code == FOUND_NOTHING, told


def test_every_operation_has_its_share() -> None:
    for count in (1, 2, 3, 64):
        shares = [set(share) for share in _shares(count)]
        assert len(shares) == count
        assert {each.operation_id for each in CONTRACT.operations} <= set.union(*shares)
        assert all(set(SOURCES) <= share for share in shares)


def _shares(count: int) -> Iterator[list[str]]:
    """The options of `count` campaigns that have all operations between them, and each of them what
    makes the cids, schedules and tokens that the others of its operations take.
    """
    others = [each.operation_id for each in CONTRACT.operations if each.operation_id not in SOURCES]
    for number in range(count):
        options = [*_EACH_FOR_ITSELF]
        for operation_id in (*SOURCES, *others[number::count]):
            options += ["--include-operation-id", operation_id]
        yield options


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
    return await run_program(*command, **{FINISHED_CID: run["cid"]})
