"""A text between two others, wherever and however often it is asked for.

Imports Hypothesis and aura_aio.model.
"""

from hypothesis import given
from hypothesis import strategies as st

from aura_aio.model.arrival import between

CIDS = ["019cadd4-5698-7c31-9b5d-2f4e6a7b8c9d", "019cadd4-5698-7c31-9b5d-2f4e6a7b8c9e"]


@given(st.lists(st.integers(0, 6), max_size=60))
def test_what_goes_in_between_is_in_between(places: list[int]) -> None:
    texts = list(CIDS)
    for place in places:
        index = min(place, len(texts))
        before = texts[index - 1] if index else ""
        after = texts[index] if index < len(texts) else None
        text = between(before, after)
        assert before < text
        assert after is None or text < after
        assert not text.endswith("-")
        texts.insert(index, text)
    assert texts == sorted(set(texts))


def test_what_arrives_later_comes_behind() -> None:
    text = CIDS[0]
    for _ in range(5):
        later = between(text, None)
        assert text < later < CIDS[1]
        text = later


def test_the_same_place_again_and_again_costs_a_letter_now_and_then() -> None:
    after = CIDS[1]
    for _ in range(100):
        after = between(CIDS[0], after)
    assert len(after) < len(CIDS[0]) + 40
