"""Runs whose steps are carried out in processes of their own, as a client sees them."""

from pathlib import Path

import pytest

from tests.conftest import MakeServer
from tests.probe_plan import write_probe
from tests.serving import Served

LINES = 5000
"""More than a worker may send before the first are stored."""


@pytest.fixture
async def probe(make_server: MakeServer, tmp_path: Path) -> Served:
    return await make_server(plans=[write_probe(tmp_path / "plans")])


async def test_every_line_is_in_the_log_in_order(probe: Served) -> None:
    run = await probe.done("probe", "say_apart", inputs={"lines": LINES})
    assert run["status"] == "succeeded"
    log = await probe.log(run["cid"])
    assert [entry["message"] for entry in log] == [f"line {number}" for number in range(LINES)]
    assert {(entry["step"], entry["worker"]) for entry in log} == {("say", run["worker"])}
