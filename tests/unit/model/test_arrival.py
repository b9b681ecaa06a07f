"""A text between two others, wherever and however often it is asked for.

Imports Hypothesis, pytest and aura_aio.model.
"""

import pytest
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


texts = st.text(alphabet="-0ayz", max_size=5).filter(lambda text: not text.endswith("-"))


@given(st.tuples(texts, texts).filter(lambda both: both[0] != both[1]))
def test_between_any_two_there_is_one(both: tuple[str, str]) -> None:
    before, after = sorted(both)
    text = between(before, after)
    assert before < text < after
    assert not text.endswith("-")


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("a", "c", "b"),
        ("a", "z", "m"),
        ("a", "b", "ah"),
        ("az", "b", "azh"),
        ("azz", "b", "azzh"),
        ("ay", "b", "az"),
        ("ab", "b", "an"),
        ("a", "b0", "b"),
        ("", "0", "-h"),
        ("", "z", "h"),
        ("a", "a0", "a-h"),
        ("a", "a-0", "a--h"),
        ("abc", "abe", "abd"),
        ("a", None, "ah"),
        ("", None, "h"),
    ],
)
def test_it_is_short_and_leaves_room_on_both_sides(
    before: str, after: str | None, text: str
) -> None:
    assert between(before, after) == text


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
