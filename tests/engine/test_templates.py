"""Templates: values, messages, and what they cannot do.

Imports pytest, and aura_aio's engine.
"""

import gc
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any

import pytest

from aura_aio.engine.failures import TemplateFailed
from aura_aio.engine.nodes import Node, Nodes
from aura_aio.engine.sandbox import Named, SecretNames
from aura_aio.engine.template_bounds import Clocks
from aura_aio.engine.templates import Templates, own_copy, render, truth
from tests.engine.hostile import ESCAPES, EXPLOSIONS

if sys.platform == "linux":
    import resource

NAMES = {
    "inputs": Named(
        "inputs", {"n": 5, "s": "123", "items": [1, 2], "none": None, "d": {"k": [1]}, "e": ""}
    ),
    "nodes": Named("nodes", {"a": Named("nodes.a", {"output": {"x": [1]}})}),
    "result": {"label": "mine", "_private": 1},
    "run": Named("run", {"cid": "c"}),
    "secrets": SecretNames({"TOKEN": "hunter2"}, lambda _: None),
}

STANDING = Clocks(lambda: 0.0, lambda: 0.0)

NESTED_LOOP = (
    "{% for x in [[1, [2]], 3] recursive %}{{ loop(x) if x is iterable else x }}{% endfor %}"
)
SUM_BY_NAMESPACE = (
    "{% set n = namespace(x=0) %}{% for x in range(9) %}"
    "{% set n.x = n.x + x %}{% endfor %}{{ n.x }}"
)
CLEAR = (
    r"^params\.x: (The template|The filter 'sum' adds|It is nested too deeply|it is too long"
    r"|str\.center\(\) takes)"
)


class Object:
    """What an action might return, for `outputs`."""

    size = 3
    _hidden = "from templates"

    def method(self) -> str:
        return "called"


@pytest.fixture
def templates() -> Templates:
    return Templates()


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
        ("{{ '-'.join(inputs.items | map('string')) }}", "1-2"),
        ("{{ '-'.join('abc') }}", "a-b-c"),
        ("{{ inputs.s[1:] ~ inputs.s[::-1] ~ inputs.s[:-1] }}", "2332112"),
        ("{{ inputs.items[1:] }}", [2]),
        ("{{ 1 < inputs.n <= 5 }}", True),
        ("{{ inputs.n in [4, 5] and inputs.n not in inputs.items }}", True),
        ("{{ {inputs.s: 1, 2: inputs.n} }}", {"123": 1, 2: 5}),
        ("{{ {'a': 1}['a'] }}", 1),
        (
            "{% for x in inputs.items %}{{ inputs.s.replace('1', x | string) }}{% endfor %}",
            "123223",
        ),
        ("{% for x in inputs.items if x > 1 %}{{ x }}{% else %}none{% endfor %}", 2),
        ("{% for x in [] %}{{ x }}{% else %}none{% endfor %}", "none"),
        ("{% for x in [1, 1, 2] %}{{ loop.changed(x) }}{% endfor %}", "TrueFalseTrue"),
        (NESTED_LOOP, "123"),
        ("{% filter upper %}a{{ inputs.n }}b{% endfilter %}", "A5B"),
        ("{% set x %}a{{ inputs.n }}{% endset %}{{ x }}", "a5"),
        ("{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}x{% endcall %}", "<x>"),
        ("{% macro m(a, b=2) %}{{ a + b }}{% endmacro %}{{ m(1) }}{{ m(1, b=3) }}", "34"),
        (SUM_BY_NAMESPACE, 36),
        ("{% for x in [1] %}" * 20 + "x" + "{% endfor %}" * 20, "x"),
        ("{{ [3, 1, 2] | sort(reverse=true) }}", [3, 2, 1]),
        ("{{ [{'a': 2}, {'a': 1}] | sort(attribute='a') | map(attribute='a') | list }}", [1, 2]),
        ("{{ ['b', 'a', 'b'] | unique | sort | join }}", "ab"),
        ("{{ [1, 2, 3, 4] | select('odd') | sum }}", 4),
        ("{{ [1, 5] | select('gt', inputs.n - 1) | first }}", 5),
        ("{{ {'b': 1, 'a': 2} | dictsort | first | first }}", "a"),
        ("{{ range(60) | batch(50) | map('length') | list }}", [50, 10]),
        ("{{ '%s and %05d' | format('x', 7) }}", "x and 00007"),
        ("{{ '%(a)s' | format(a=1) }}", "1"),
        ("{{ '%s' % inputs.n }}", "5"),
        ("{{ '<a>b</a>' | striptags }}", "b"),
        ("{{ 'a b' | urlencode }}", "a%20b"),
        ("{{ 'one two' | title | wordcount }}", 2),
        ("{{ 'ff' | int(base=16) }}", 255),
        ("{{ none is none and inputs.n is number and 'x' is in 'xyz' }}", True),
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


def test_a_step_without_output_is_told_as_it_stands(templates: Templates) -> None:
    nodes = Nodes(["b", "c", "d", "e"])
    for name, status, end in (("c", "RUNNING", None), ("d", "SKIPPED", 1.0), ("e", "FAILED", 1.0)):
        nodes[name] = Node(name)
        nodes[name]["run_state"] = {"status": status, "end_time": end}
    for name, message in (
        ("b", "Step 'b' had not ended when this was needed: name it in depends_on."),
        ("c", "Step 'c' had not ended when this was needed: name it in depends_on."),
        ("d", "There is no 'output' of step 'd', which was skipped."),
        ("e", "There is no 'output' of step 'e', which failed."),
    ):
        template = templates.form(f"{{{{ nodes.{name}.output }}}}", "params.x")
        with pytest.raises(TemplateFailed) as failure:
            render(template, {"nodes": nodes})
        assert message in str(failure.value)


def test_a_long_template_is_cut_in_the_message(templates: Templates) -> None:
    with pytest.raises(TemplateFailed) as failure:
        value(templates, "x" * 500 + "{{ nope }}")
    assert len(str(failure.value)) < 200


@pytest.mark.parametrize("source", ESCAPES)
def test_templates_cannot_escape(templates: Templates, source: str) -> None:
    with pytest.raises(TemplateFailed, match=r"^params\.x: \S") as failure:
        value(templates, source, result=Object())
    assert "hunter2" not in str(failure.value)


@pytest.fixture
def memory_limit() -> Iterator[None]:
    """What explodes nevertheless takes the test along, and not the machine."""
    if sys.platform != "linux":
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (2 * 1024**3, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_DATA, before)


@pytest.fixture
def small_heap() -> Iterator[None]:
    """The garbage collector looks at what is made from now on, as in a worker, and not at all that
    thousands of tests have left.
    """
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("memory_limit", "small_heap")
@pytest.mark.parametrize("source", EXPLOSIONS)
def test_templates_cannot_explode(templates: Templates, source: str) -> None:
    start = time.process_time()  # of the processor, whatever else the machine does
    with pytest.raises(TemplateFailed, match=CLEAR):
        value(templates, source)
    assert time.process_time() - start < 1


def test_a_template_that_takes_too_long_is_stopped() -> None:
    now = count(0.0)
    passing = partial(next, now)
    templates = Templates(clocks=Clocks(passing, passing))
    source = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(TemplateFailed, match=r"longer than 0\.5 s"):
        value(templates, source)


def test_a_template_is_not_charged_for_what_the_machine_does_meanwhile() -> None:
    templates = Templates(clocks=Clocks(partial(next, count(0.0)), lambda: 0.0))
    assert value(templates, "{% for n in range(1000) %}{{ n % 2 }}{% endfor %}") == "01" * 500


def test_a_template_may_do_as_much_more_as_it_may_take_longer() -> None:
    rows = list(range(20_000))
    source = "{% for n in range(30) %}{{ rows | sort | length }}{% endfor %}"
    with pytest.raises(TemplateFailed, match="does too much"):
        value(Templates(clocks=STANDING), source, rows=rows)
    assert value(Templates(5, STANDING), source, rows=rows) == "20000" * 30


def test_a_template_may_not_loop_for_ever_even_if_no_time_passes() -> None:
    templates = Templates(clocks=STANDING)
    source = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(TemplateFailed, match="more than 100,000 times"):
        value(templates, source)


def test_an_environment_goes_on_after_a_refusal(templates: Templates) -> None:
    with pytest.raises(TemplateFailed):
        value(templates, EXPLOSIONS[-3])
    assert value(templates, "{{ inputs.n }}") == 5


def test_attributes_of_a_result_can_be_read_but_not_its_secrets(templates: Templates) -> None:
    assert value(templates, "{{ result.size }}", result=Object()) == 3
    with pytest.raises(TemplateFailed, match="_hidden"):
        value(templates, "{{ result._hidden }}", result=Object())


def test_templates_that_are_rendered_in_one_go_share_what_they_may_use() -> None:
    templates = Templates(clocks=STANDING)
    source = "{% for i in range(40000) %}{% endfor %}"
    assert value(templates, source) == ""
    together = templates.form({"a": source, "b": [source, source]}, "params")
    with pytest.raises(TemplateFailed, match=r"^params\.b\[1\]: The template loops more than"):
        render(together, NAMES)


def test_ordinary_work_on_much_data_is_within_what_a_template_may_use() -> None:
    templates = Templates(clocks=STANDING)
    rows = [{"n": n, "name": f"row {n}", "tags": ["a", "b"]} for n in range(20_000)]
    text = "line of text\n" * 300_000
    for source, expected in {
        "{{ rows | sort(attribute='n', reverse=true) | map(attribute='n') | first }}": 19_999,
        "{{ rows | selectattr('n', 'lt', 10) | list | length }}": 10,
        "{{ rows | map(attribute='name') | join(', ') | length }}": 208_888,
        "{{ rows | groupby('tags') | length }}": 1,
        "{{ rows | sum(attribute='n') }}": 199_990_000,
        "{{ rows | tojson | length }}": 937_781,
        "{{ text | trim | upper | replace('X', 'Y') | length }}": 3_899_999,
        "{{ text.splitlines() | length }}": 300_000,
        "{% for word in range(60) %}{% if 'no' in text %}x{% endif %}{% endfor %}y": "y",
        "{% for row in rows %}{{ row.n }}{% if not loop.last %},{% endif %}{% endfor %}": ",".join(
            map(str, range(20_000))
        ),
    }.items():
        assert value(templates, source, rows=rows, text=text) == expected, source


def test_what_is_missing_in_much_data_is_told_in_no_time(templates: Templates) -> None:
    start = time.process_time()
    for source in (
        "{{ rows.missing }}",
        "{{ inputs['x' * 9000000] }}",
        "{{ rows['x' * 9000000] }}",
    ):
        with pytest.raises(TemplateFailed, match="There is no '"):
            value(templates, source, rows={f"key {n}": n for n in range(50_000)})
    assert time.process_time() - start < 1


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
