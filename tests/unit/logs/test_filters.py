"""Sorting entries out for many filters at once.

Imports aura_aio.logs.filters, model and hypothesis.
"""

from hypothesis import given
from hypothesis import strategies as st

from aura_aio.logs.filters import Sorted, chooser
from aura_aio.model.log import LogEntry, LogFilter, LogLevel, LogLine
from tests.unit.logs.lines import line

few = st.none() | st.sampled_from(["a", "b"])
levels = st.sampled_from(LogLevel)
filters = st.builds(LogFilter, level=levels, cid=few, plan_name=few, task_name=few, step=few)
lines = st.builds(line, level=levels, cid=few, plan_name=few, task_name=few, step=few)


@given(filters, st.lists(lines, max_size=12))
def test_what_is_chosen_is_what_matches(where: LogFilter, logged: list[LogLine]) -> None:
    entries = [LogEntry(seq, each) for seq, each in enumerate(logged, 1)]
    assert list(chooser(where)(entries)) == [each for each in entries if where.matches(each.line)]


@given(filters, st.lists(lines, max_size=12))
def test_the_index_by_cid_loses_nothing_that_matches(
    where: LogFilter, logged: list[LogLine]
) -> None:
    entries = [LogEntry(seq, each) for seq, each in enumerate(logged, 1)]
    chosen = chooser(where)(Sorted(entries).of(where.cid))
    assert list(chosen) == [each for each in entries if where.matches(each.line)]
