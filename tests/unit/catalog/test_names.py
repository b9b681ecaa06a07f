"""Names that can be taken for others are none.

Imports pytest and `catalog.references`.
"""

import pytest

from aura_aio.catalog.references import is_name


@pytest.mark.parametrize(
    "name", ["hello", "a", "_a", "0", "a.b-c_d", "größe", "отчёт", "отчёт_csv", "报告v2", "日報"]
)
def test_these_are_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "h\u0435llo",  # with a Cyrillic e
        "\u0391dmin",  # with a Greek A
        "\u03a9mega",
        "\uff48ello",  # with a wide h
        "\ufb01le",  # with a ligature of f and i
        "x\u00b2",  # with a small 2 above
        "a\u3164b",  # with a letter that shows nothing
        "a\u200bb",  # with a space that has no width
        "e\u0301tape",  # with an accent of its own
        "a\u202eb",  # which turns the direction of the text
        "a\x1b[31m",
        "a\n",
        "..",
        "a/b",
        "a\\b",
        "a" * 101,
        "",
    ],
)
def test_these_are_not(name: str) -> None:
    assert not is_name(name)
