"""A short campaign against the server, with other faults each time.

Imports pytest and `tests.programs`.
"""

import sys

import pytest

from tests.programs import REPOSITORY, run_program

if sys.platform != "linux":
    pytest.skip("the faults need Linux (/proc, SIGSTOP)", allow_module_level=True)


@pytest.mark.timeout(600)
async def test_twenty_rounds_break_no_promise() -> None:
    """Each with a kill among its faults; what it prints has the seed that does the same again."""
    command = [sys.executable, "-m", "campaign", "--rounds", "20", "--seconds", "0.6"]
    code, told = await run_program(*command, cwd=REPOSITORY / "scripts")
    assert code == 0, told


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("dispatcher", ["local", "procrastinate"])
async def test_a_fleet_breaks_no_promise_either(dispatcher: str) -> None:
    """A few rounds with two servers and two hosts of workers, where network namespaces can be made;
    it says so where they cannot.
    """
    small = ["--servers", "2", "--hosts", "2", "--clients", "4", "--dispatcher", dispatcher]
    command = [sys.executable, "-m", "campaign", "--fleet", "--rounds", "5", *small]
    code, told = await run_program(*command, cwd=REPOSITORY / "scripts")
    assert code == 0, told
    if "There is no fleet" in told:
        pytest.skip(told)
    assert "5 rounds without a violation" in told
