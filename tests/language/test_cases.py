"""Every case in `cases/`: a task, and what must come of it.

Imports pytest, aura_aio.model, tests/language/reading.py and the harness of the engine's tests.

A case is a file with `rule` (the sentence it shows), `task` (the text of a task file, `t.yaml`) or
`files`, `actions` (the text of `actions.py`), `inputs`, `origin` (what started it), `state` (what
the plan keeps), `secrets` (by name), and one of:
- `refused`: what is wrong with the plan, each with a part of the `message`, and the `line`, `path`,
  `file`;
- `limits`: what a run needs to start, by key;
- `outcome`: `event`, and what else is of interest: `result`, `error`, `steps`, `tries`, `outputs`,
  `log` (parts of messages, in order), `slept` (seconds), `slept_between` (two bounds of each),
  `kept` (changes of the plan's state);
- `loaded`: the `schedules` of the plan, or the `triggers` of the task (what stands under `on`), as
  they were read.
"""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from aura_aio.model.errors import InputsRejected
from aura_aio.model.event import EventTrigger
from aura_aio.model.limits import limits_of
from aura_aio.model.pointers import spelled
from aura_aio.model.schedule import Schedule
from tests.engine.harness import PLAN, Bench, QuickClock
from tests.language.reading import (
    LIMITS,
    LOADS,
    OUTCOME_FIELDS,
    PATHS,
    REFUSALS,
    RUNS,
    catalog_of,
    check_outcome,
    check_steps,
    envelope_of,
    name_of,
    read,
)


def test_there_are_enough_cases_and_each_has_a_rule_of_its_own() -> None:
    rules = [read(path)["rule"] for path in PATHS]
    assert len(rules) >= 150
    assert len(set(rules)) == len(rules)


@pytest.mark.parametrize("path", REFUSALS, ids=name_of)
def test_refused(path: Path, tmp_path: Path) -> None:
    case = read(path)
    found = [msgspec.to_builtins(error) for error in catalog_of(case, tmp_path).plan(PLAN).errors]
    assert len(found) == len(case["refused"]), found
    for error, wanted in zip(found, case["refused"], strict=True):
        assert wanted["message"] in error["message"]
        for key in wanted.keys() - {"message"}:
            assert error[key] == wanted[key], (key, error)
        assert error["file"]


@pytest.mark.parametrize("path", LOADS, ids=name_of)
def test_loaded(path: Path, tmp_path: Path) -> None:
    case = read(path)
    catalog = catalog_of(case, tmp_path)
    assert catalog.plan(PLAN).errors == ()
    expected = case["loaded"]
    assert len(expected) == 1
    if "schedules" in expected:
        schedules = msgspec.convert(expected["schedules"], tuple[Schedule, ...])
        assert catalog.plan(PLAN).schedules == schedules
    else:
        triggers = msgspec.convert(expected["triggers"], tuple[EventTrigger, ...])
        assert catalog.task(PLAN, "t").task.on == triggers


@pytest.mark.parametrize("path", LIMITS, ids=name_of)
def test_limits(path: Path, tmp_path: Path) -> None:
    case = read(path)
    catalog = catalog_of(case, tmp_path)
    assert not catalog.plan(PLAN).errors
    limits = limits_of(catalog.task(PLAN, "t").task)
    assert [(limit.key, limit.most) for limit in limits] == sorted(case["limits"].items())


@pytest.mark.parametrize("case", RUNS, ids=name_of, indirect=True)
async def test_run(case: dict[str, Any], table: Bench) -> None:
    expected = case["outcome"]
    assert expected.keys() <= OUTCOME_FIELDS
    call, inputs = case.get("call", "t"), case.get("inputs")
    if "rejected" in expected:
        with pytest.raises(InputsRejected) as rejection:
            table.runner(call, inputs)
        found = [
            [spelled(place.removeprefix("/inputs")), fault]
            for place, fault in rejection.value.faults
        ]
        assert found == expected["rejected"]
        return
    outcome = await table.run(call, inputs, **envelope_of(case))
    check_outcome(expected, outcome)
    check_steps(expected, table.journal)
    assert isinstance(table.parts.clock, QuickClock)
    slept = table.parts.clock.slept
    assert slept == pytest.approx(expected.get("slept", slept))
    if "slept_between" in expected:
        low, high = expected["slept_between"]
        assert slept
        assert all(low <= each < high for each in slept)
