"""YAML with places: types, lines and columns, limits.

Imports pytest, Hypothesis, PyYAML to write, and aura_aio's reader.
"""

import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aura_aio.catalog.document import DocumentError, Node, read_document
from aura_aio.catalog.marks import Mark

# PyYAML knows YAML 1.1, where these are words, and writes them as such.
NUMBERS_OF_YAML_12_ALONE = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+|0o[0-7]+")

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    texts.filter(lambda text: not NUMBERS_OF_YAML_12_ALONE.fullmatch(text)),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text("abc", min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)


class Writer(yaml.SafeDumper):
    """Quotes text that YAML 1.2 may take for something else than YAML 1.1 does (`0E0`)."""


def _write_text(writer: Writer, text: str) -> yaml.Node:
    style = None if text.isalpha() or not text.isascii() else '"'
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Writer.add_representer(str, _write_text)


@given(values, st.booleans())
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read_back(value: Any, flow: bool) -> None:
    text = yaml.dump(value, Dumper=Writer, default_flow_style=flow, allow_unicode=True)
    assert read_document(text).plain() == value


def test_every_key_and_value_knows_its_place() -> None:
    root = read_document("a:\n  - b: 1\n    c: {d: [x, yy]}\n")
    assert root.mark == Mark(1, 1)
    assert root.keys["a"] == Mark(1, 1)
    inner = root.value["a"].value[0]
    assert inner.mark == Mark(2, 5)
    assert inner.keys["c"] == Mark(3, 5)
    listed = inner.value["c"].value["d"]
    assert (listed.mark, listed.value[1].mark) == (Mark(3, 12), Mark(3, 16))


def test_a_part_that_is_merged_or_aliased_keeps_its_place() -> None:
    root = read_document("base: &b {q: 1}\nc: {<<: *b, z: 2}\nd: *b\n")
    assert root.value["c"].plain() == {"q": 1, "z": 2}
    assert root.value["c"].keys["q"] == Mark(1, 11)
    assert root.value["d"].mark == Mark(1, 7)


def test_merging_prefers_the_mapping_itself_and_then_the_first() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {a: 2, c: 2}\nz: {<<: [*x, *y], b: 0}\n"
    assert read_document(text).value["z"].plain() == {"a": 1, "b": 0, "c": 2}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("NO", "NO"), ("on", "on"), ("0x1F", 31), ("0o17", 15), ("017", 17),
        ("1_000", "1_000"), ("12:30", "12:30"), ("2024-01-01", "2024-01-01"), ("1e3", 1000.0),
        (".5", 0.5), ("+1", 1), ("'1'", "1"), ("!!str 1", "1"), ("! 1", "1"), ("~", None),
        ("", None), ("TRUE", True), ("tRUE", "tRUE"),
    ],
)  # fmt: skip
def test_plain_scalars_have_the_types_of_yaml_1_2(text: str, value: Any) -> None:
    node = read_document(f"k: {text}").value["k"]
    assert node.value == value
    assert type(node.value) is type(value)


def test_a_repeated_key_is_kept_apart_and_the_first_value_stands() -> None:
    root = read_document("a: 1\nb: 2\na: 3\n")
    assert root.plain() == {"a": 1, "b": 2}
    assert root.repeated == (("a", Mark(3, 1)),)


def test_keys_are_text() -> None:
    assert read_document("{200: ok, true: x, null: y}").plain() == {
        "200": "ok",
        "true": "x",
        "null": "y",
    }


@pytest.mark.parametrize(
    ("text", "message", "mark"),
    [
        ("a: [1\n", "This is no YAML: the \\[ that opens here is never closed", Mark(1, 4)),
        ("a: *b", "no anchor &b", Mark(1, 4)),
        ("&a [*a]", "no anchor &a", Mark(1, 5)),
        ("a:\n  !!binary x", "tag", Mark(2, 3)),
        ("? [a]\n: b", "A key must be plain text", Mark(1, 3)),
        ("a: -.inf", "JSON", Mark(1, 4)),
        ("a: 1e999", "JSON", Mark(1, 4)),
        ("a: 0x" + "f" * 1000, "1,000 digits", Mark(1, 4)),
        ('a: "\\ud800"', "a backslash in double quotes", Mark(1, 5)),
        ("a: x\u2028y", r"An invisible '\\u2028' stands here: write it as", Mark(1, 5)),
        ("a: 😀\nb: \ud800", "The character '\\\\ud800' is not allowed", Mark(2, 4)),
        ("a: é😀\nb: \x07", "The character '\\\\x07' is not allowed", Mark(2, 4)),
        ("x: {<<: 3}", "`<<` takes a mapping", Mark(1, 9)),
        ("ok: 1\nbad: \x07", "The character", Mark(2, 6)),
        ("a: " + "[" * 65 + "]" * 65, "deeper than 64", Mark(1, 67)),
    ],
)
def test_what_cannot_be_read_is_refused_where_it_stands(
    text: str, message: str, mark: Mark
) -> None:
    with pytest.raises(DocumentError, match=message) as refusal:
        read_document(text)
    assert refusal.value.mark == mark


@pytest.mark.parametrize(
    ("text", "message", "mark"),
    [
        ("steps:\n\ta: b", "a tab stands here, and YAML is indented with spaces", Mark(2, 1)),
        ("a: b\n\t\nc: d", "a tab stands here", Mark(2, 1)),
        ("a: {{ x }}", 'A template must stand in quotes: "{{ … }}"', Mark(1, 5)),
        ("a: {b: {{ x }}}", "A template must stand in quotes", Mark(1, 9)),
        ("a: {% if x %}", "a template must stand in quotes", Mark(1, 4)),
        ("a: @home", "a text that begins with @ must stand in quotes", Mark(1, 4)),
        ("a: *.csv", "a text that begins with \\* must stand in quotes", Mark(1, 4)),
        ("a: *csv", "begins with \\* must stand in quotes", Mark(1, 4)),
        ("a: &", "a text that begins with & must stand in quotes", Mark(1, 4)),
        ("a: !x y", "begins with ! must stand in quotes", Mark(1, 4)),
        ("a: Done: all", "a text that holds ': ' must stand in quotes", Mark(1, 8)),
        ("a: {b: it's: c}", "a text that holds ': ' must stand in quotes", Mark(1, 12)),
        ("a\n  b: c", "the line above lacks its ':'", Mark(2, 4)),
        ("a: b\n  c: d", "or this one is indented too far", Mark(2, 4)),
        ("a:\n  b: 1\n c: 2", "the indentation of this line fits to no line above", Mark(3, 2)),
        ("a: b\nc\nd: e", "a ':' is missing behind this key", Mark(2, 1)),
        ("a: 'it's'", "nothing may follow here: put the whole text in quotes", Mark(1, 8)),
        ('a: "x\nb: c\n', "the quote that opens here is never closed", Mark(1, 4)),
        ('a: "C:\\Users"', "a backslash in double quotes begins an escape", Mark(1, 7)),
        ("a: {", "a value is missing here", Mark(1, 5)),
        ("a: {b", "the { that opens here is never closed", Mark(1, 4)),
        ("a: {b: c\nd: e", "expected , or } here, since line 1 opens {", Mark(2, 2)),
        ("a: [b\nc: d\ne: f", "expected , or \\] here, since line 1 opens", Mark(2, 2)),
        ("a:\n  - b\n  c: d", "expected '- ' here, as the list of line 2", Mark(3, 3)),
        ("a: |x\n  b", "the text begins on the next line", Mark(1, 5)),
    ],
)
def test_the_mistakes_of_people_are_told_in_their_words(
    text: str, message: str, mark: Mark
) -> None:
    with pytest.raises(DocumentError, match=message) as refusal:
        read_document(text)
    assert refusal.value.mark == mark


def _refusal(text: str) -> DocumentError | None:
    try:
        read_document(text)
    except DocumentError as refusal:
        return refusal
    return None


@given(st.text("ab:-{}[]'\"#&*!|>%@` \t\n\\,?\u2028\x07é😀", max_size=40))
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    refusal = _refusal(text)
    if refusal is not None:
        assert str(refusal)
        assert 1 <= refusal.mark.line <= text.count("\n") + 2
        assert refusal.mark.column >= 1


def test_aliases_may_not_nest_deeper_than_written_values() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 80)]
    with pytest.raises(DocumentError, match="deeper than 64"):
        read_document("\n".join(lines))


def test_an_alias_counts_as_often_as_it_stands() -> None:
    rows = ", ".join(["*a"] * 100)
    fits = f"a: &a [{', '.join('x' * 980)}]\nb: [{rows}]"
    assert read_document(fits).size == 1 + 981 + 1 + 100 * 981
    with pytest.raises(DocumentError, match="100,000"):
        read_document(fits + f"\nc: [{rows}]")


def test_plain_data_is_new_each_time() -> None:
    node: Node = read_document("[[1]]")
    assert node.plain() == node.plain()
    assert node.plain()[0] is not node.plain()[0]
