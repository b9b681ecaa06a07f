"""The contract under fire: Schemathesis reads it, and calls a server that runs as users start it.

Imports pytest, the contract and `server_process`. What the tool is told stands in
`schemathesis.toml` and `schemathesis_hooks.py`.
"""

import asyncio
import os
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pytest

from aura_aio.contract.document import load_contract
from tests.contract.known_names import CALLBACK_HOST, FINISHED_CID
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
    assert _cut_short(told, 3) == {}, told
    async with server_process(tmp_path / "2", str(EXAMPLES), *_ALONE) as server:
        code, told = await _campaign(server, *_ONE_AFTER_ANOTHER, max_examples=40)
    assert code == FOUND_NOTHING, told
    gone = re.search(r"API Links: +(\d+) covered", told)
    assert gone, told
    assert int(gone[1]) >= 3, told


@pytest.mark.slow
@pytest.mark.timeout(6 * 3600)
async def test_a_long_campaign_finds_nothing(tmp_path: Path) -> None:
    """The same with 2,000 examples of each operation and as many steps, or as many as the variable
    TEST_MAX_EXAMPLES says; side by side on all cores (docs/decisions/0031).
    """
    most = int(os.environ.get("TEST_MAX_EXAMPLES", "2000"))
    cores = os.cpu_count() or 1
    free = asyncio.Semaphore(cores)
    parts = [*_shares(cores), _ONE_AFTER_ANOTHER]

    async def part(number: int, options: Sequence[str]) -> tuple[int, str]:
        async with free, server_process(tmp_path / str(number), str(EXAMPLES), *_ALONE) as server:
            if options == _ONE_AFTER_ANOTHER:
                return await _many_steps(server, most)
            return await _campaign(server, *options, max_examples=most)

    outcomes = await asyncio.gather(*(part(*each) for each in enumerate(parts)))
    found = [told for code, told in outcomes if code != FOUND_NOTHING]
    assert found == [], "\n".join(found)
    assert _cut_short("\n".join(told for _, told in outcomes), most) == {}


async def _many_steps(server: ServerProcess, most: int) -> tuple[int, str]:
    """As many campaigns as it takes to make `most` steps: what can follow hangs on what the server
    answered, and when that is not as it was before, Hypothesis ends a campaign.
    """
    all_told, steps = "", 0
    while steps < most:
        code, told = await _campaign(server, *_ONE_AFTER_ANOTHER, max_examples=most)
        all_told += told
        made = re.search(r"^ +(\d+) generated", told, re.M)
        if code != FOUND_NOTHING or made is None:
            return FOUND_SOMETHING, all_told
        steps += int(made[1])
    return FOUND_NOTHING, all_told


async def test_what_is_learnt_ends_no_examples(tmp_path: Path) -> None:
    """Schedules are made, and each that is taken away is one less to choose from."""
    most = 25
    only = ["createSchedule", "deleteSchedule"]
    options = [each for one in only for each in ("--include-operation-id", one)]
    async with server_process(tmp_path / "data", str(EXAMPLES), *_ALONE) as server:
        code, told = await _campaign(server, "--phases", "fuzzing", *options, max_examples=most)
    assert code == FOUND_NOTHING, told
    assert _cut_short(told, most, only) == {}, told


def _cut_short(told: str, most: int, only: Collection[str] = ()) -> dict[str, int]:
    """The operations that had fewer examples than `most`, though there was something to choose."""
    had = {
        name: int(count) for name, count in re.findall(r"^examples of (\w+): (\d+)$", told, re.M)
    }
    chosen = [each for each in CONTRACT.operations if not only or each.operation_id in only]
    counts = {
        each.operation_id: had.get(each.operation_id, 0)
        for each in chosen
        if each.path_parameters or each.query_parameters or each.header_parameters or each.body
    }
    return {name: count for name, count in counts.items() if count < most}


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
