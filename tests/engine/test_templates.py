"""Templates: values, messages, and what they cannot do.

Imports pytest, and aura_aio's engine.
"""

import time
from typing import Any

import pytest

from aura_aio.engine.failures import TemplateFailed
from aura_aio.engine.sandbox import Named
from aura_aio.engine.templates import Templates, own_copy, render, truth

NAMES = {
    "inputs": Named(
        "inputs", {"n": 5, "s": "123", "items": [1, 2], "none": None, "d": {"k": [1]}, "e": ""}
    ),
    "nodes": Named("nodes", {"a": Named("nodes.a", {"output": {"x": [1]}})}),
    "result": {"label": "mine", "_private": 1},
}


class Object:
    """What an action might return, for `outputs`."""

    size = 3
    _hidden = "from templates"

    def method(self) -> str:
        return "called"


@pytest.fixture
def templates() -> Templates:
    return Templates(time.monotonic)


def value(templates: Templates, source: str, **more: Any) -> Any:
    return render(templates.form(source, "params.x"), NAMES | more)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ inputs.n }}", 5),
        ("{{ inputs.s }}", "123"),
        ("{{ 5 }}", 5),
        ("{{ '5' }}", "5"),
        ("{{ [1, inputs.n] }}", [1, 5]),
        ("{{ (1, 2) }}", [1, 2]),
        ("{{ {'a': inputs.n} }}", {"a": 5}),
        ("{{ inputs.items }}", [1, 2]),
        ("{{ inputs.d.items() }}", [["k", [1]]]),
        ("{{ inputs.d.keys() }}", ["k"]),
        ("{{ result.label }}", "mine"),
        ("{{ result._private }}", 1),
        ("{{ inputs.n }}\n", 5),
        (" {{ inputs.n }}", " 5"),
        ("{{ inputs.n }}{{ inputs.n }}", "55"),
        ("{% if inputs.n > 3 %}{{ inputs.n }}{% else %}0{% endif %}", 5),
        ("{% set x = inputs.n %}{{ x + 1 }}", 6),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{% if false %}x{% endif %}", ""),
        ("{{ none }}", None),
        ("x{{ none }}", "xNone"),
        ("{{ inputs.items | map('string') }}", ["1", "2"]),
        ("{{ inputs.items | join('-') }}", "1-2"),
        ("{{ inputs.items | sum }}", 3),
        ("{{ inputs.items | batch(1) | list }}", [[1], [2]]),
        ("{{ range(3) }}", [0, 1, 2]),
        ("{{ inputs.d | tojson }}", '{"k":[1]}'),
        ("{{ inputs.none | default(7) }}", 7),
        ("{{ inputs.missing | default(7) }}", 7),
        ("{{ inputs.e | default(7) }}", ""),
        ("{{ inputs.e | default(7, true) }}", 7),
        ("{{ inputs.missing is defined }}", False),
        ("{{ inputs.s.replace('1', 'x') }}", "x23"),
        ("{{ '%05.1f' | format(2.25) }}", "002.2"),
        ("{{ 'a-b'.split('-') }}", ["a", "b"]),
        ("{{ inputs.n ~ '/' ~ inputs.s }}", "5/123"),
        ("{{ inputs.d.get('q', 3) }}", 3),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) }}{{ m(2) }}", "<1><2>"),
        ("{% for x in inputs.items %}{{ loop.cycle('a', 'b') }}{% endfor %}", "ab"),
        ("{{ 1.25 | round(1) }}", 1.2),
        ("{{ 'a\nb' | indent(2) }}", "a\n  b"),
        ("{{ 2 ** 10 + 7 % 4 }}", 1027),
    ],
)
def test_a_template_gives(templates: Templates, source: str, expected: Any) -> None:
    found = value(templates, source)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ inputs.nn }}", "There is no 'nn' in inputs. Did you mean 'none' or 'n'?"),
        ("{{ inputs['q'] }}", "There is no 'q' in inputs. There is:"),
        ("{{ nodes.b.output }}", "There is no 'b' in nodes. There is: 'a'."),
        ("{{ nodes.a.outptu }}", "There is no 'outptu' in nodes.a. Did you mean 'output'?"),
        ("{{ nodes.a.output.y }}", "There is no 'y' in this mapping. There is: 'x'."),
        ("{{ [1, {'a': inputs.q}] }}", "There is no 'q' in inputs."),
        ("{{ inputs.items[9] }}", "list object has no element 9."),
        ("{{ unknown }}", "'unknown' is undefined."),
        ("{{ 1 / 0 }}", "ZeroDivisionError: division by zero."),
        ("{{ inputs.n + 'x' }}", "unsupported operand"),
        ("{{ inputs.label }}", "There is no 'label' in inputs."),
        ("{{ self }}", "It gives a TemplateReference, which is no data."),
        ("{{ namespace }}", "It gives a type, which is no data."),
    ],
)
def test_what_is_wrong_is_said(templates: Templates, source: str, message: str) -> None:
    with pytest.raises(TemplateFailed) as failure:
        value(templates, source)
    assert str(failure.value).startswith("params.x: ")
    assert message in str(failure.value)
    assert str(failure.value).endswith(f"(in `{source}`)")


def test_a_long_template_is_cut_in_the_message(templates: Templates) -> None:
    with pytest.raises(TemplateFailed) as failure:
        value(templates, "x" * 500 + "{{ nope }}")
    assert len(str(failure.value)) < 200


ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ '' | attr('__class__') }}",
    "{{ inputs.__class__.__mro__ }}",
    "{{ inputs._label }}",
    "{{ ['x'] | map(attribute='__class__') | list }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ range.__self__ }}",
    "{{ joiner.__init__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{x.__class__}'.format_map({'x': 1}) }}",
    "{{ ''.join.__self__ }}",
    "{% set f = ''.format %}{{ f() }}",
    "{{ ['{0.__class__}'] | map('format', 1) | list }}{{ '{0}'.format(1) }}",
    "{{ inputs.items.append(1) }}",
    "{{ inputs.pop('n') }}",
    "{{ inputs.clear() }}",
    "{{ inputs.n.bit_length() }}",
    "{{ inputs.s.encode().hex() }}",
    "{{ inputs.s.translate({49: 'x'}) }}",
    "{{ result.method() }}",
    "{{ result._hidden }}",
    "{{ lipsum() }}",
    "{{ _aura_turn.__init__ }}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
]
DOUBLED = (
    "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
)
EXPLOSIONS = [
    "{{ range(10**9) }}",
    "{{ 'a' * 10**9 }}",
    "{{ 10**9 * 'a' }}",
    "{{ [1] * 10**9 }}",
    "{{ 9 ** (9 ** 9) }}",
    "{% set n = namespace(x=9) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "{{ 'a'.ljust(10**9) }}",
    "{{ 'a'.center(width=10**9) }}",
    "{{ 'a' | center(10**9) }}",
    "{{ 'a' | indent(10**9, true) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (1000000000, 1) }}",
    "{{ '%(x)1000000000d' | format(x=1) }}",
    "{{ 1.5 | round(10**9) }}",
    "{{ [1] | slice(10**9) | list }}",
    "{{ [1] | batch(10**9, 0) | list }}",
    "{{ 'aaaaaaaa'" + " | replace('a', 'aaaaaaaa')" * 20 + " | length }}",
    "{{ 'aaaaaaaa'" + ".replace('a', 'aaaaaaaa')" * 20 + " | length }}",
    "{{ ('a' * 10**6).join(range(10**5) | map('string') | list) }}",
    "{{ range(10**5) | join('a' * 10**6) }}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    DOUBLED + "{{ n.x }}",
    DOUBLED + "x{{ n.x }}",
    DOUBLED + "{{ n.x | tojson }}",
    DOUBLED + "{{ '%s' % (n.x,) }}",
    "{% macro m(n) %}{{ m(n - 1) }}{{ m(n - 1) }}{% endmacro %}{{ m(9999) }}",
    "{% for a in range(99999) %}{{ 'x' * 9999 }}{% endfor %}",
    "{{ range(99999) | batch(1) | sum(start=[]) }}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_templates_cannot_escape(templates: Templates, source: str) -> None:
    with pytest.raises(TemplateFailed):
        value(templates, source, result=Object())


@pytest.mark.parametrize("source", EXPLOSIONS)
def test_templates_cannot_explode(templates: Templates, source: str) -> None:
    start = time.process_time()
    with pytest.raises(TemplateFailed):
        value(templates, source)
    assert time.process_time() - start < 1


def test_a_template_that_takes_too_long_is_stopped() -> None:
    now = iter(range(10**9))
    templates = Templates(lambda: float(next(now)))
    source = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(TemplateFailed, match="longer than 1 s"):
        value(templates, source)


def test_a_template_may_not_loop_for_ever_even_if_no_time_passes() -> None:
    templates = Templates(lambda: 0.0)
    source = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(TemplateFailed, match="more than 250,000 times"):
        value(templates, source)


def test_an_environment_goes_on_after_a_refusal(templates: Templates) -> None:
    with pytest.raises(TemplateFailed):
        value(templates, EXPLOSIONS[-3])
    assert value(templates, "{{ inputs.n }}") == 5


def test_attributes_of_a_result_can_be_read_but_not_its_secrets(templates: Templates) -> None:
    assert value(templates, "{{ result.size }}", result=Object()) == 3
    with pytest.raises(TemplateFailed, match="_hidden"):
        value(templates, "{{ result._hidden }}", result=Object())


def test_large_data_passes_through(templates: Templates) -> None:
    rows = [{"n": n} for n in range(50_000)]
    assert value(templates, "{{ result }}", result=rows) is rows
    assert value(templates, "{{ {'rows': result} }}", result=rows) == {"rows": rows}


def test_a_form_is_rendered_at_any_depth(templates: Templates) -> None:
    source = {"a": ["{{ inputs.n }}", {"b": "{{ inputs.s }}!"}, 3, None], "c": "plain"}
    form = templates.form(source, "params")
    assert render(form, NAMES) == {"a": [5, {"b": "123!"}, 3, None], "c": "plain"}
    assert render(form, NAMES)["a"] is not render(form, NAMES)["a"]
    broken = templates.form({"a": [{"b": "{{ x }}"}]}, "params")
    with pytest.raises(TemplateFailed, match=r"^params\.a\[0\]\.b: "):
        render(broken, NAMES)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ 1 > 0 }}", True), ("{{ 0 }}", False), ("{{ [] }}", False), ("{{ none }}", False),
        ("{{ 'false' }}", False), ("{{ ' No ' }}", False), ("{{ 'off' }}", False),
        ("{{ '0' }}", False), ("{{ '' }}", False), ("{{ 'none' }}", False), ("{{ 'x' }}", True),
        ("{{ 'true' }}", True), (True, True), (False, False), ("no", False), ("yes", True),
    ],
)  # fmt: skip
def test_conditions(templates: Templates, source: str | bool, expected: bool) -> None:
    assert truth(templates.form(source, "when"), NAMES) is expected


def test_text_without_braces_is_no_template(templates: Templates) -> None:
    assert templates.form("{# c #} { x }", "params.x") == "{# c #} { x }"


def test_a_copy_shares_nothing() -> None:
    original = {"a": [1, {"b": (2, 3)}]}
    copy = own_copy(Named("x", original))
    assert copy == {"a": [1, {"b": [2, 3]}]}
    assert type(copy) is dict
    assert copy["a"] is not original["a"]
