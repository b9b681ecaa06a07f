"""The cases: read from their files, and what came of a task held against them.

Imports PyYAML (another reader than ours), and the harness of the engine's tests. What is in a case
is told in test_cases.py.
"""

import json
from pathlib import Path
from typing import Any

import yaml

from aura_aio.catalog.catalog import Catalog
from aura_aio.model.run import Outcome
from tests.engine.harness import Journal, write_plan

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


def read(path: Path) -> dict[str, Any]:
    """The case in a file."""
    case: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    assert case["rule"]
    assert case.keys() <= FIELDS
    assert len(case.keys() & {"refused", "limits", "outcome", "loaded"}) == 1
    return case


def catalog_of(case: dict[str, Any], root: Path) -> Catalog:
    """Its plan, written below `root` and loaded."""
    files = dict(case.get("files", {}))
    if "task" in case:
        files["tasks/t.yaml"] = case["task"]
    if "actions" in case:
        files["actions.py"] = case["actions"]
    return write_plan(root, files)


def name_of(path: Path) -> str:
    """What it is called in a test."""
    return path.relative_to(CASES).with_suffix("").as_posix()


_FIELDS_OF = {path: read(path).keys() for path in PATHS}  # each is read once, in every process
REFUSALS = [path for path in PATHS if "refused" in _FIELDS_OF[path]]
LOADS = [path for path in PATHS if "loaded" in _FIELDS_OF[path]]
LIMITS = [path for path in PATHS if "limits" in _FIELDS_OF[path]]
RUNS = [path for path in PATHS if "outcome" in _FIELDS_OF[path]]


def envelope_of(case: dict[str, Any]) -> dict[str, Any]:
    """What its Tasklet says of where it comes from."""
    return {key: json.dumps(case[key]).encode() for key in ("origin", "state") if key in case}


def check_outcome(expected: dict[str, Any], outcome: Outcome) -> None:
    """Hold how a run ended against what must come of it."""
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


def check_steps(expected: dict[str, Any], journal: Journal) -> None:
    """Hold what a run reported against what must come of it."""
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
