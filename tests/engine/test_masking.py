"""Secrets in whatever leaves a run: none is left, wherever it stands.

Imports Hypothesis, pytest, and aura_aio's engine.
"""

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aura_aio.catalog.secret_inputs import MASK
from aura_aio.engine.masking import SHORTEST, Mask
from aura_aio.model.log import LogLevel, LogLine
from aura_aio.model.run import RunError, StepRecord

# One line of it, as few characters as may be; no `*`, so that the mask itself is no secret.
SECRETS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="*"),
    min_size=SHORTEST,
    max_size=12,
).filter(lambda text: text == text.strip())
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def around(secret: str) -> st.SearchStrategy[Any]:
    """Plain data with the secret somewhere in it, also as a key and within texts."""
    texts = st.one_of(PLAIN, st.just(secret), st.builds(lambda a, b: a + secret + b, PLAIN, PLAIN))
    leaves = st.one_of(texts, st.integers(), st.booleans(), st.none())
    return st.recursive(
        leaves, lambda each: st.lists(each) | st.dictionaries(texts, each), max_leaves=8
    )


def texts_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in texts_of(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts_of(each)]
    return [value] if isinstance(value, str) else []


def masking(*secrets: Any) -> Mask:
    mask = Mask()
    mask.add(secrets)
    return mask


@settings(deadline=None)  # how fast it is depends on what else the machine does
@given(SECRETS, st.data())
def test_no_secret_is_left_in_json(secret: str, data: st.DataObject) -> None:
    value = data.draw(around(secret))
    text = json.dumps(value, ensure_ascii=False).encode()
    for found in (masking(secret).data(value), json.loads(masking(secret).json(text))):
        assert not any(secret in each for each in texts_of(found))


@given(SECRETS, PLAIN, PLAIN)
def test_no_secret_is_left_in_a_text_that_was_made_of_it(
    secret: str, before: str, after: str
) -> None:
    value = before + secret + after
    mask = masking(secret)

    def inner(text: str, *, ascii_only: bool) -> str:
        return json.dumps(text, ensure_ascii=ascii_only)[1:-1]

    for ascii_only in (True, False):
        once, found = inner(secret, ascii_only=ascii_only), inner(value, ascii_only=ascii_only)
        twice, deeper = inner(once, ascii_only=ascii_only), inner(found, ascii_only=ascii_only)
        assert once not in mask.text(found)
        assert twice not in mask.text(deeper)
    assert secret not in mask.text(value)
    assert quote(secret, safe="") not in mask.text(f"https://x/?q={quote(value, safe='')}")
    assert urlencode({"q": secret}) not in mask.text(urlencode({"q": value}))
    assert repr(secret)[1:-1] not in mask.text(repr(value))


@given(st.text("äöü", min_size=SHORTEST), st.data())
def test_what_holds_no_secret_is_left_as_it_is(secret: str, data: st.DataObject) -> None:
    value = data.draw(around("hunter2"))
    assume(not set("äöü") & set(json.dumps(value, ensure_ascii=False)))
    assert masking(secret).data(value) == value
    assert json.loads(masking(secret).json(json.dumps(value).encode())) == value


def test_the_longest_is_masked_first_in_whatever_order_they_came() -> None:
    for secrets in (("pass", "password"), ("password", "pass")):
        assert masking(*secrets).text("a password, a pass") == f"a {MASK}, a {MASK}"


@pytest.mark.parametrize("value", ["", "abc", None, True, 123, 1.5, {"a": "hunter2"}])
def test_what_is_short_or_no_text_cannot_be_masked(value: Any) -> None:
    text = "abc 123 true null 1.5 hunter2"
    assert masking(value).text(text) == text


def test_numbers_are_masked_as_a_whole_in_data_and_anywhere_in_texts() -> None:
    mask = masking(4711, 12.75)
    assert mask.data([4711, 47110, 12.75, True, "x4711x"]) == [MASK, 47110, MASK, True, "x***x"]
    assert json.loads(mask.json(b'{"4711": [4711, 47110]}')) == {MASK: [MASK, 47110]}


def test_lines_records_and_errors_come_out_without_secrets() -> None:
    mask = masking("hunter2")
    error = RunError("ValueError", "no hunter2", "a", "raise ValueError('hunter2')")
    line = LogLine(1.0, LogLevel.INFO, "x", "say hunter2", data={"hunter2": ["hunter2"]})
    record = StepRecord("c", 1, "a", "failed", output=b'"hunter2"', error=error)
    for found in (mask.line(line), mask.record(record), mask.error(error)):
        assert "hunter2" not in repr(found)
        assert MASK in repr(found)


def test_without_secrets_everything_is_the_same_object() -> None:
    mask = Mask()
    line = LogLine(1.0, LogLevel.INFO, "x", "m", data={"a": [1]})
    record = StepRecord("c", 1, "a", "success", output=b"[1]")
    text = b'{"a": 1}'
    assert mask.line(line) is line
    assert mask.record(record) is record
    assert mask.json(text) is text
    assert mask.error(None) is None
