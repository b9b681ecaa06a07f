"""A server with the plan `probe`, for the tests of the operations.

Imports the fixtures and `tests.probe_plan`.
"""

from pathlib import Path

import pytest

from tests.conftest import MakeServer
from tests.probe_plan import write_probe
from tests.serving import Served


@pytest.fixture
def probe_root(tmp_path: Path) -> str:
    """The folder of the plan `probe`."""
    return write_probe(tmp_path / "plans")


@pytest.fixture
async def probe(make_server: MakeServer, probe_root: str) -> Served:
    """A server with one worker process that runs `probe`."""
    return await make_server(plans=[probe_root])


@pytest.fixture
async def waiting(make_server: MakeServer, probe_root: str) -> Served:
    """A server that dispatches nothing until it is started, and needs no process for it."""
    return await make_server(plans=[probe_root], start=False, workers=0)
