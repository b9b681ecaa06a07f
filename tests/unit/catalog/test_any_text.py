"""Whatever stands in a task file: tasks, and load errors with their places, never an exception.

Imports pytest, Hypothesis, msgspec, and aura_aio's catalog and model.
"""

from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from aura_aio.catalog.action_names import ActionNames
from aura_aio.catalog.catalog import load_catalog
from aura_aio.catalog.taskfile import TaskFileReader
from aura_aio.model.plan import Definition

EXAMPLES = Path(__file__).resolve().parents[3] / "plans"
READER = TaskFileReader("csv_report", ActionNames("csv_report", load_catalog([EXAMPLES]).actions))
TEXTS = [path.read_text("utf-8") for path in sorted(EXAMPLES.glob("*/tasks/**/*.yaml"))]
TEXTS += [
    "\n".join(f"t{n}:\n  steps:\n    a: {{action: log, when: '{{{{ run.cid }}}}'}}" for n in "ab")
]
WORDS = [
    "", " ", "  ", "\n", "\t", ":", ": ", "- ", "{", "}", "[", "]", "{{", "}}", '"', "'", "\\", "|",
    ">", "*a", "&a ", "!x ", "null", "true", "-1", "1e9", "[]", "{}", "~", "#", "steps:", "<<: ",
    "é", "\x00", "{{ nodes.x }}", "depends_on: ", "0x" + "f" * 2000, "a" * 2000, "---\n", "\u2028",
]  # fmt: skip
edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(WORDS)), min_size=1, max_size=6
)


def edited(text: str, edit: tuple[float, int, str]) -> str:
    """`text` with some characters at a place replaced."""
    where, removed, added = edit
    start = int(len(text) * where)
    return text[:start] + added + text[start + removed :]


@given(st.sampled_from(TEXTS), edits)
@settings(max_examples=400, deadline=None)
def test_an_edited_task_file_is_read_or_refused(
    text: str, changes: list[tuple[float, int, str]]
) -> None:
    for change in changes:
        text = edited(text, change)
    file = READER.read(text, "tasks/t.yaml", "t")
    assert file.tasks or file.errors
    for task in file.tasks.values():
        assert Definition.of(task).task() == task
    for error in file.errors:
        msgspec.json.encode(error)
        assert error.message
        assert error.line is None or 1 <= error.line <= text.count("\n") + 2
