"""Lines to log, plain ones and wild ones, and what of them was delivered.

Imports hypothesis, logs.buffer and model only.
"""

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from aura_aio.logs.buffer import Item, Portion, Subscription
from aura_aio.model.log import LogLevel, LogLine

CID = "019cadd4-5698-7c31-9b5d-2f4e6a7b8c9d"
OTHER_CID = "019cadd4-5698-7c31-9b5d-2f4e6a7b8c9e"


def line(message: str = "hello", level: LogLevel = LogLevel.INFO, **places: Any) -> LogLine:
    """A line of the last day of January 2026."""
    return LogLine(1_769_860_800.25, level, "actions.greet", message, **places)


class Odd:
    """What has no JSON form, and an unspeakable name."""

    def __repr__(self) -> str:
        return "<Odd \udce4>"


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.builds(Odd),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.sets(st.integers(), max_size=3)
        | st.dictionaries(st.text(st.characters()) | st.integers() | st.none(), inner, max_size=3)
    ),
    max_leaves=10,
)
texts = st.text(st.characters(), max_size=20)  # surrogates, NUL and all
names = st.none() | texts
wild_lines = st.builds(
    LogLine,
    timestamp=st.floats(),
    level=st.sampled_from(LogLevel),
    logger=texts,
    message=texts,
    cid=names,
    plan_name=names,
    task_name=names,
    step=names,
    attempt=st.none() | st.integers(1, 2**31 - 1),
    worker=names,
    data=st.none() | st.dictionaries(st.text(st.characters()), anything, max_size=4),
)


def seqs(items: Iterable[Item]) -> list[int]:
    """The numbers of the entries among what was delivered."""
    return [seq for item in items if isinstance(item, Portion) for seq in item.seqs]


async def everything(subscription: Subscription) -> list[Item]:
    """What is delivered until the subscription is closed."""
    items: list[Item] = []
    while batch := await subscription.next_batch():
        items += batch
    return items
