"""Tests of the plan: its tasks run as on the server, but take no time."""

import pytest

from aura_aio.testing import InputsRejected, RunAction, RunTask


def test_it_greets(run_task: RunTask) -> None:
    run = run_task("greet", {"name": "Ada"})
    assert run.status == "succeeded"
    assert run.result == {"greeting": "Hello, Ada!"}
    assert run.messages() == ["Hello, Ada!"]


def test_breakfast_takes_as_long_as_its_longest_way(run_task: RunTask) -> None:
    run = run_task("breakfast", {"seconds": 60})
    assert run.result["breakfast"] == "Zoë has coffee with milk and toast for breakfast"
    assert run.took_sec == 90  # the coffee, then the milk; the toast is ready by then


def test_who_sleeps_on_is_called_again(run_task: RunTask) -> None:
    run = run_task("breakfast", {"guest": "Ada", "calls_needed": 4})
    assert run.steps["guest"].tries == 4
    assert "Ada is awake after 4 calls" in run.messages("guest")


def test_nobody_has_to_drink_milk(run_task: RunTask) -> None:
    run = run_task("breakfast", {"milk": False})
    assert run.steps["milk"].status == "skipped"
    assert run.result["breakfast"] == "Zoë has coffee and toast for breakfast"


def test_who_must_be_called_too_often_stays_in_bed(run_task: RunTask) -> None:
    with pytest.raises(InputsRejected, match="calls_needed: must be at most 4, not 5"):
        run_task("breakfast", {"calls_needed": 5})


def test_a_dish_says_how_far_it_is(run_action: RunAction) -> None:
    run = run_action("prepare", dish="toast", seconds=8)
    assert run.result == "toast"
    assert run.progress == tuple((part / 4, "preparing toast") for part in range(4))
