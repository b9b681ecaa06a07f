"""Every filter and every test that templates have: each gives what Jinja2 documents of it.

Imports pytest, and aura_aio's catalog and engine.
"""

from typing import Any, Final

import pytest
from jinja2.filters import FILTERS as ALL_FILTERS
from jinja2.tests import TESTS as ALL_TESTS

from aura_aio.catalog.template_checks import REMOVED_FILTERS
from aura_aio.engine.failures import TemplateFailed
from aura_aio.engine.templates import Templates, render

ROWS: Final = [{"n": 2, "k": "b"}, {"n": 1, "k": "a"}, {"n": 3, "k": "b"}]
FILTERS: Final[dict[str, tuple[str, Any]]] = {
    "abs": ("-2 | abs", 2),
    "attr": ("rows[0] | attr('n') is undefined", True),
    "batch": ("[1, 2, 3] | batch(2, 0) | list", [[1, 2], [3, 0]]),
    "capitalize": ("'aB c' | capitalize", "Ab c"),
    "center": ("'ab' | center(6)", "  ab  "),
    "count": ("[1, 2] | count", 2),
    "d": ("none | d(1)", 1),
    "default": ("'' | default(1, true)", 1),
    "dictsort": ("{'b': 1, 'a': 2} | dictsort(by='value')", [["b", 1], ["a", 2]]),
    "e": ("'<&' | e", "&lt;&amp;"),
    "escape": ("'\"' | escape", "&#34;"),
    "filesizeformat": ("13000 | filesizeformat", "13.0 kB"),
    "first": ("[1, 2] | first", 1),
    "float": ("'1.5' | float + ('x' | float(2))", 3.5),
    "forceescape": ("'<' | escape | forceescape", "&amp;lt;"),
    "format": ("'%s: %02d' | format('x', 3)", "x: 03"),
    "groupby": ("rows | groupby('k') | map('first') | list", ["a", "b"]),
    "indent": ("'a\nb' | indent(1, true)", " a\n b"),
    "int": ("('0x1f' | int(base=16)) + ('x' | int(1))", 32),
    "items": ("{'a': 1} | items | list", [["a", 1]]),
    "join": ("rows | join('-', attribute='n')", "2-1-3"),
    "last": ("[1, 2] | last", 2),
    "length": ("'abc' | length", 3),
    "list": ("'ab' | list", ["a", "b"]),
    "lower": ("'AB' | lower", "ab"),
    "map": ("rows | map(attribute='q', default=0) | list", [0, 0, 0]),
    "max": ("rows | max(attribute='n')", {"n": 3, "k": "b"}),
    "min": ("[2, 1] | min", 1),
    "random": ("[7] | random", 7),
    "reject": ("[1, 2, 3] | reject('odd') | list", [2]),
    "rejectattr": ("rows | rejectattr('k', 'eq', 'b') | map(attribute='n') | list", [1]),
    "replace": ("'aaa' | replace('a', 'b', 2)", "bba"),
    "reverse": ("[1, 2] | reverse | list", [2, 1]),
    "round": ("[2.55 | round(1, 'floor'), 2.1 | round(0, 'ceil')]", [2.5, 3.0]),
    "safe": ("'<' | safe", "<"),
    "select": ("[0, 1, 2] | select | list", [1, 2]),
    "selectattr": ("rows | selectattr('n', 'gt', 1) | list | length", 2),
    "slice": ("[1, 2, 3] | slice(2) | list", [[1, 2], [3]]),
    "sort": ("rows | sort(attribute='k,n') | map(attribute='n') | list", [1, 2, 3]),
    "string": ("1.5 | string", "1.5"),
    "striptags": ("'<p>a  <b>b</b></p>' | striptags", "a b"),
    "sum": ("rows | sum(attribute='n', start=10)", 16),
    "title": ("'one two' | title", "One Two"),
    "tojson": ("{'a': [1, none, true]} | tojson", '{"a":[1,null,true]}'),
    "trim": ("' x ' | trim ~ ('-y-' | trim('-'))", "xy"),
    "truncate": ("'one two three' | truncate(9, leeway=0)", "one..."),
    "unique": ("['a', 'A', 'b'] | unique | list", ["a", "b"]),
    "upper": ("'ab' | upper", "AB"),
    "urlencode": ("{'a b': 'ü&'} | urlencode", "a+b=%C3%BC%26"),
    "wordcount": ("'one two, three' | wordcount", 3),
}
TESTS: Final[dict[str, tuple[str, str]]] = {
    "!=": ("[1, 2] | select('!=', 1) | list == [2]", "[1] | select('!=', 1) | list"),
    "<": ("[1, 2] | select('<', 2) | list == [1]", "[2] | select('<', 2) | list"),
    "<=": ("[1, 2] | select('<=', 1) | list == [1]", "[2] | select('<=', 1) | list"),
    "==": ("[1, 2] | select('==', 1) | list == [1]", "[2] | select('==', 1) | list"),
    ">": ("[1, 2] | select('>', 1) | list == [2]", "[1] | select('>', 1) | list"),
    ">=": ("[1, 2] | select('>=', 2) | list == [2]", "[1] | select('>=', 2) | list"),
    "boolean": ("true is boolean", "1 is boolean"),
    "callable": ("range is callable", "1 is callable"),
    "defined": ("rows is defined", "nothing is defined"),
    "divisibleby": ("6 is divisibleby 3", "7 is divisibleby 3"),
    "eq": ("1 is eq 1", "1 is eq 2"),
    "equalto": ("'a' is equalto 'a'", "'a' is equalto 'b'"),
    "escaped": ("('x' | escape) is escaped", "'x' is escaped"),
    "even": ("2 is even", "1 is even"),
    "false": ("false is false", "0 is false"),
    "filter": ("'upper' is filter", "'pprint' is filter"),
    "float": ("1.5 is float", "1 is float"),
    "ge": ("2 is ge 2", "1 is ge 2"),
    "greaterthan": ("3 is greaterthan 2", "2 is greaterthan 2"),
    "gt": ("3 is gt 2", "2 is gt 2"),
    "in": ("1 is in [1]", "1 is in []"),
    "integer": ("1 is integer", "1.0 is integer"),
    "iterable": ("'a' is iterable", "1 is iterable"),
    "le": ("2 is le 2", "3 is le 2"),
    "lessthan": ("1 is lessthan 2", "2 is lessthan 2"),
    "lower": ("'a' is lower", "'A' is lower"),
    "lt": ("1 is lt 2", "2 is lt 2"),
    "mapping": ("{} is mapping", "[] is mapping"),
    "ne": ("1 is ne 2", "1 is ne 1"),
    "none": ("none is none", "0 is none"),
    "number": ("1.5 is number", "'1' is number"),
    "odd": ("1 is odd", "2 is odd"),
    "sameas": ("none is sameas none", "1 is sameas true"),
    "sequence": ("[1] is sequence", "1 is sequence"),
    "string": ("'a' is string", "1 is string"),
    "test": ("'odd' is test", "'join' is test"),
    "true": ("true is true", "1 is true"),
    "undefined": ("nothing is undefined", "rows is undefined"),
    "upper": ("'A' is upper", "'a' is upper"),
}


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates()


def value(templates: Templates, source: str) -> Any:
    return render(templates.form(f"{{{{ {source} }}}}", "params.x"), {"rows": ROWS})


def test_all_words_of_jinja_are_here_or_were_removed() -> None:
    assert FILTERS.keys() == ALL_FILTERS.keys() - set(REMOVED_FILTERS)
    assert TESTS.keys() == ALL_TESTS.keys()
    for word, (source, _) in FILTERS.items():
        assert word in source
    for word, sources in TESTS.items():
        assert all(word in source for source in sources)


@pytest.mark.parametrize("word", FILTERS)
def test_a_filter_gives(templates: Templates, word: str) -> None:
    source, expected = FILTERS[word]
    found = value(templates, source)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("word", TESTS)
def test_a_test_tells(templates: Templates, word: str) -> None:
    holds, holds_not = TESTS[word]
    assert value(templates, holds) is True
    assert not value(templates, holds_not)


@pytest.mark.parametrize("word", REMOVED_FILTERS)
def test_what_was_removed_is_not_there(templates: Templates, word: str) -> None:
    with pytest.raises(TemplateFailed, match=f"No filter named '{word}'"):
        value(templates, f"'x' | {word}")
