"""A server with the plan `probe`, for the tests of the operations.

Imports the fixtures and `tests.probe_plan`.
"""

from pathlib import Path

import pytest

from tests.backends import let_run_on
from tests.conftest import MakeServer
from tests.probe_plan import write_probe
from tests.serving import Served

ON_BOTH = {
    "test_audit.py::test_pages_and_filters",
    "test_callbacks.py::test_the_end_of_a_run_is_told_with_a_signature",
    "test_children.py::test_a_step_gets_the_result_of_its_child",
    "test_idempotency.py::test_a_key_holds_across_a_restart",
    "test_logs.py::test_the_log_of_everything_in_pages",
    "test_plan_state.py::test_a_plan_keeps_its_state_between_runs_and_restarts",
    "test_queue_order.py::test_a_run_is_inserted_where_it_is_wanted_once",
    "test_retry.py::test_from_where_it_failed",
    "test_runs.py::test_a_run_is_accepted_and_executed",
    "test_schedules.py::test_what_a_client_made_survives_a_restart",
    "test_secrets.py::test_a_sealed_input_reaches_the_action_after_a_restart_of_the_server",
}
"""What runs on PostgreSQL, too: something of each part. With `--backend postgres` all tests do."""

BY_JOBS = {
    "test_children.py::test_a_step_gets_the_result_of_its_child",
    "test_limits.py::test_a_run_that_goes_first_gets_what_comes_free_before_all_others",
    "test_limits.py::test_limits_hold_over_all_workers_and_are_used_up",
    "test_queue_order.py::test_one_plan_is_paused_and_the_others_go_on",
    "test_runs.py::test_a_delayed_run_waits_for_its_time_and_is_woken",
    "test_runs.py::test_a_running_run_is_cancelled",
    "test_runs.py::test_runs_of_higher_priority_start_first",
}
"""What runs where Procrastinate hands out runs, too: whatever that could change. With `--backend
postgres --dispatcher procrastinate` all tests do.
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let these run on both backends, and by jobs."""
    let_run_on(metafunc, ON_BOTH, BY_JOBS)


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
