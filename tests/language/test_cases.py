"""Every case in `cases/`: a task, and what must come of it.

Imports PyYAML (another reader than ours), pytest, and the harness of the engine's tests.

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

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from aura_aio.catalog.catalog import Catalog
from aura_aio.model.errors import InputsRejected
from aura_aio.model.event import EventTrigger
from aura_aio.model.limits import limits_of
from aura_aio.model.pointers import spelled
from aura_aio.model.run import Outcome
from aura_aio.model.schedule import Schedule
from tests.engine.harness import PLAN, Bench, QuickClock, bench, write_plan

CASES = Path(__file__).parent / "cases"
FIELDS = {
    "rule",
    "task",
    "files",
    "actions",
    "inputs",
    "origin",
    "state",
    "secrets",
    "refused",
    "limits",
    "outcome",
    "loaded",
    "call",
}
OUTCOME_FIELDS = {
    "event",
    "result",
    "error",
    "steps",
    "tries",
    "outputs",
    "log",
    "slept",
    "slept_between",
    "kept",
    "rejected",
}


PATHS = sorted(CASES.rglob("*.yaml"))


def _read(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    assert case["rule"]
    assert case.keys() <= FIELDS
    assert len(case.keys() & {"refused", "limits", "outcome", "loaded"}) == 1
    return case


def _catalog(case: dict[str, Any], root: Path) -> Catalog:
    files = dict(case.get("files", {}))
    if "task" in case:
        files["tasks/t.yaml"] = case["task"]
    if "actions" in case:
        files["actions.py"] = case["actions"]
    return write_plan(root, files)


def test_there_are_enough_cases_and_each_has_a_rule_of_its_own() -> None:
    rules = [_read(path)["rule"] for path in PATHS]
    assert len(rules) >= 150
    assert len(set(rules)) == len(rules)


def _name(path: Path) -> str:
    return path.relative_to(CASES).with_suffix("").as_posix()


REFUSALS = [path for path in PATHS if "refused" in _read(path)]
LOADS = [path for path in PATHS if "loaded" in _read(path)]
LIMITS = [path for path in PATHS if "limits" in _read(path)]
RUNS = [path for path in PATHS if "outcome" in _read(path)]


@pytest.mark.parametrize("path", REFUSALS, ids=_name)
def test_refused(path: Path, tmp_path: Path) -> None:
    case = _read(path)
    found = [msgspec.to_builtins(error) for error in _catalog(case, tmp_path).plan(PLAN).errors]
    assert len(found) == len(case["refused"]), found
    for error, wanted in zip(found, case["refused"], strict=True):
        assert wanted["message"] in error["message"]
        for key in wanted.keys() - {"message"}:
            assert error[key] == wanted[key], (key, error)
        assert error["file"]


@pytest.mark.parametrize("path", LOADS, ids=_name)
def test_loaded(path: Path, tmp_path: Path) -> None:
    case = _read(path)
    catalog = _catalog(case, tmp_path)
    assert catalog.plan(PLAN).errors == ()
    expected = case["loaded"]
    assert len(expected) == 1
    if "schedules" in expected:
        schedules = msgspec.convert(expected["schedules"], tuple[Schedule, ...])
        assert catalog.plan(PLAN).schedules == schedules
    else:
        triggers = msgspec.convert(expected["triggers"], tuple[EventTrigger, ...])
        assert catalog.task(PLAN, "t").task.on == triggers


@pytest.mark.parametrize("path", LIMITS, ids=_name)
def test_limits(path: Path, tmp_path: Path) -> None:
    case = _read(path)
    catalog = _catalog(case, tmp_path)
    assert not catalog.plan(PLAN).errors
    limits = limits_of(catalog.task(PLAN, "t").task)
    assert [(limit.key, limit.most) for limit in limits] == sorted(case["limits"].items())


@pytest.fixture
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    return _read(request.param)


@pytest.fixture
def table(case: dict[str, Any], tmp_path: Path) -> Iterator[Bench]:
    catalog = _catalog(case, tmp_path / "plans")
    assert not catalog.plan(PLAN).errors
    settings: dict[str, Any] = {"clock": QuickClock(), "secrets": case.get("secrets")}
    with bench(tmp_path / "data", catalog=catalog, **settings) as table:
        yield table


@pytest.mark.parametrize("case", RUNS, ids=_name, indirect=True)
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
    envelope: dict[str, Any] = {
        key: json.dumps(case[key]).encode() for key in ("origin", "state") if key in case
    }
    outcome = await table.run(call, inputs, **envelope)
    _check_outcome(expected, outcome)
    _check_steps(expected, table)
    assert isinstance(table.parts.clock, QuickClock)
    slept = table.parts.clock.slept
    assert slept == pytest.approx(expected.get("slept", slept))
    if "slept_between" in expected:
        low, high = expected["slept_between"]
        assert slept
        assert all(low <= each < high for each in slept)


def _check_outcome(expected: dict[str, Any], outcome: Outcome) -> None:
    assert outcome.event == expected["event"], outcome
    if "result" in expected:
        assert outcome.result is not None
        found = json.loads(outcome.result)
        assert found == expected["result"]
        assert _types(found) == _types(expected["result"])
    if "error" in expected:
        assert outcome.error is not None
        wanted = expected["error"]
        assert outcome.error.type == wanted["type"]
        assert wanted.get("message", "") in outcome.error.message
        assert outcome.error.step == wanted.get("step")


def _check_steps(expected: dict[str, Any], table: Bench) -> None:
    journal = table.journal
    if "steps" in expected:
        assert journal.statuses() == expected["steps"]
    for step, tries in expected.get("tries", {}).items():
        assert journal.last(step).tries == tries
    for step, output in expected.get("outputs", {}).items():
        text = journal.last(step).output
        assert text is not None
        assert json.loads(text) == output
    if "kept" in expected:
        assert journal.kept() == expected["kept"]
    if "log" in expected:
        messages = journal.messages()
        assert len(messages) == len(expected["log"]), messages
        for message, part in zip(messages, expected["log"], strict=True):
            assert part in message


def _types(value: Any) -> Any:
    """The types in a value: 1 is not true, and "1" is neither."""
    if isinstance(value, dict):
        return {key: _types(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_types(each) for each in value]
    return float if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value)
