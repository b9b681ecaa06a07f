"""Finds at load what would make a template fail in a run: syntax, unknown names, steps, inputs.

May import model, jinja2 and `catalog.place`. Nothing is evaluated here.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from jinja2 import Environment, TemplateSyntaxError, nodes

from aura_aio.catalog.place import Place
from aura_aio.model.suggestions import did_you_mean

SCOPE: Final = frozenset({"initial", "inputs", "nodes", "run", "secrets", "state"})
"""The names that every template of a task sees."""

REMOVED_FILTERS: Final = ("pprint", "urlize", "wordwrap", "xmlattr")
"""Filters of Jinja2 for web pages and debugging, which nothing bounds: no template has them."""

MAX_LENGTH: Final = 262_144
"""Characters of one template."""
MAX_TOKENS: Final = 5_000
"""Of one template; text counts as one. What is longer takes too long to compile."""
MAX_NESTING: Final = 20
"""Statements within each other: what Python can compile in any case."""

_STATEMENTS: Final = (
    nodes.For, nodes.If, nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.With,
    nodes.AssignBlock, nodes.Block, nodes.Scope, nodes.ScopedEvalContextModifier,
)  # fmt: skip
_INITIAL: Final = ("trigger", "schedule", "event", "parent")
_RUN: Final = ("cid", "attempt", "started_at")
_LOOP: Final = ("item", "index", "key")
_OF_A_STEP: Final = ("output", "run_state")
_FUNCTIONS: Final = frozenset({"range", "dict", "namespace", "cycler", "joiner"})
_CHANCE: Final = "random"
_EXPRESSION: Final = re.compile(r"\b(inputs|nodes|loop|state|initial|run|result)\s*[.\[=!<>]")
_GRAMMAR: Final = Environment(autoescape=False)  # noqa: S701 - it only parses # nosec B701
_FILTERS: Final = _GRAMMAR.filters.keys() - set(REMOVED_FILTERS)


def is_template(text: str) -> bool:
    """Whether `text` is a template at all; anything else is taken as it is."""
    return "{{" in text or "{%" in text


def looks_like_one(text: str) -> bool:
    """Whether `text` is no template, but would be a sensible one within `{{ }}`."""
    return not is_template(text) and _EXPRESSION.search(text) is not None


def check_length(text: str) -> None:
    """Refuse a template that is too long.

    Raises:
        TemplateSyntaxError: it is, or has something that is no part of any template.
    """
    if (
        len(text) > MAX_LENGTH
        or next(islice(_GRAMMAR.lex(text), MAX_TOKENS, None), None) is not None
    ):
        raise TemplateSyntaxError("it is too long. Let an action do it", 1)


def _parsed(text: str) -> nodes.Template:
    """The tree of a template.

    Raises:
        TemplateSyntaxError: it is none, or too long.
        RecursionError: it is nested too deeply.
    """
    check_length(text)
    template = _GRAMMAR.parse(text)
    if _nesting(template) > MAX_NESTING:
        raise RecursionError
    return template


def _nesting(node: nodes.Node) -> int:
    """How many statements are within each other at the most."""
    inner = max(map(_nesting, node.iter_child_nodes()), default=0)
    return inner + isinstance(node, _STATEMENTS)


def needs(text: str) -> frozenset[str]:
    """The names that a template which loads asks its scope for; `random` is one, too."""
    if not is_template(text):
        return frozenset()
    tree = _Tree(_parsed(text))
    used = {name.name for name in tree.all(nodes.Name) if name.ctx == "load"}
    chance = {used.name for used in tree.all(nodes.Filter) if used.name == _CHANCE}
    return frozenset(chance | used - _bound(tree) - _FUNCTIONS)


class TemplateChecks:
    """The checks of one task's templates; `steps` are its steps with the names of their outputs."""

    def __init__(self, steps: Mapping[str, Collection[str]], inputs: Collection[str]) -> None:
        self._steps = steps
        self._inputs = inputs
        self._members = {
            "nodes": ("There is no step {!r}.", steps),
            "inputs": ("There is no input {!r}.", inputs),
            "initial": ("There is no {!r} in 'initial'.", _INITIAL),
            "run": ("There is no {!r} in 'run'.", _RUN),
            "loop": ("There is no {!r} in 'loop'.", _LOOP),
        }

    def check(self, place: Place, names: frozenset[str] = SCOPE) -> None:
        """Note what is wrong with every template in `place`, also within lists and mappings;
        `names` are those that it sees.
        """
        if place.is_hopeless:
            return
        if place.is_mapping():
            for entry in place.entries().values():
                self.check(entry, names)
        elif place.is_list():
            for item in place.items():
                self.check(item, names)
        elif place.is_text() and is_template(place.node.value):
            self._check_text(place, names)

    def _check_text(self, place: Place, names: frozenset[str]) -> None:
        try:
            template = _parsed(place.node.value)
        except TemplateSyntaxError as error:
            place.fault(f"This is no template: {error.message}")
        except RecursionError:
            place.fault("This template is nested too deeply.")
        except ValueError:
            place.fault("This template holds a number with too many digits.")
        else:
            for fault in self._faults(_Tree(template), names):
                place.fault(fault)

    def _faults(self, tree: "_Tree", names: frozenset[str]) -> Iterator[str]:
        for statement in (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends):
            if tree.all(statement):
                yield f"'{statement.__name__.lower()}' is not available in a task's templates."
        for used in tree.all(nodes.Filter):
            if used.name not in _FILTERS:
                yield f"There is no filter {used.name!r}.{did_you_mean(used.name, _FILTERS)}"
        for used in tree.all(nodes.Test):
            if used.name not in _GRAMMAR.tests:
                yield f"There is no test {used.name!r}.{did_you_mean(used.name, _GRAMMAR.tests)}"
        bound = _bound(tree)
        yield from self._unknown_names(tree, names, bound)
        yield from self._unknown_members(tree, bound)

    def _unknown_names(
        self, tree: "_Tree", names: frozenset[str], bound: frozenset[str]
    ) -> Iterator[str]:
        used = {name.name for name in tree.all(nodes.Name) if name.ctx == "load"}
        for name in sorted(used - names - bound - _FUNCTIONS):
            if name == "loop":
                yield "'loop' is known only in a step with a loop."
            else:
                yield f"The name {name!r} is not known here.{self._meant(name, names)}"

    def _meant(self, name: str, names: frozenset[str]) -> str:
        """A sentence about what an unknown name may stand for."""
        if "loop" in names and name in _LOOP:
            return f" Did you mean 'loop.{name}'?"
        if name in self._inputs:
            return f" Did you mean 'inputs.{name}'?"
        if name in self._steps:
            return f" Did you mean 'nodes.{name}.output'?"
        return did_you_mean(name, names)

    def _unknown_members(self, tree: "_Tree", bound: Collection[str]) -> Iterator[str]:
        may_be_missing = _may_be_missing(tree)
        for found, name in _members(tree):
            if found in may_be_missing:
                continue
            fault, known = self._members_of(found.node, bound)
            if fault and name not in known:
                yield fault.format(name) + did_you_mean(name, known)

    def _members_of(self, owner: nodes.Expr, bound: Collection[str]) -> tuple[str, Collection[str]]:
        """How to tell that there is no such member, and those that there are."""
        if isinstance(owner, nodes.Name):
            return ("", ()) if owner.name in bound else self._members.get(owner.name, ("", ()))
        step = _step_of(owner)
        if step is None or step not in self._steps or "nodes" in bound:
            return "", ()
        return f"The step {step!r} has no {{!r}}.", (*_OF_A_STEP, *self._steps[step])


class _Tree:
    """The nodes of a template by their kind."""

    def __init__(self, template: nodes.Template) -> None:
        self._nodes: defaultdict[type[nodes.Node], list[Any]] = defaultdict(list)
        for node in template.find_all(nodes.Node):
            self._nodes[type(node)].append(node)

    def all(self, kind: type[nodes.Node]) -> list[Any]:
        """The nodes of exactly this kind, in the order of the text."""
        return self._nodes.get(kind, [])


def _members(tree: _Tree) -> Iterator[tuple[Any, str]]:
    """What is asked of something by a name that is known here, methods left out."""
    called = {call.node for call in tree.all(nodes.Call)}
    for found in tree.all(nodes.Getattr):
        if found not in called:
            yield found, found.attr
    for found in tree.all(nodes.Getitem):
        name = _constant(found.arg)
        if name is not None:
            yield found, name


def _step_of(owner: nodes.Expr) -> str | None:
    """The step whose members `nodes.step` or `nodes['step']` are."""
    if not isinstance(owner, nodes.Getattr | nodes.Getitem):
        return None
    if not isinstance(owner.node, nodes.Name) or owner.node.name != "nodes":
        return None
    return owner.attr if isinstance(owner, nodes.Getattr) else _constant(owner.arg)


def _bound(tree: _Tree) -> frozenset[str]:
    """The names that the template itself gives a meaning to."""
    bound = {name.name for name in tree.all(nodes.Name) if name.ctx in {"store", "param"}}
    bound |= {macro.name for macro in tree.all(nodes.Macro)}
    if tree.all(nodes.For):
        bound.add("loop")
    if tree.all(nodes.Macro) or tree.all(nodes.CallBlock):
        bound |= {"caller", "varargs", "kwargs"}
    return frozenset(bound)


def _may_be_missing(tree: _Tree) -> set[nodes.Node]:
    """What is asked for with `default` or `is defined`."""
    found = {used.node for used in tree.all(nodes.Filter) if used.name in {"default", "d"}}
    return found | {
        test.node for test in tree.all(nodes.Test) if test.name in {"defined", "undefined"}
    }


def _constant(node: nodes.Expr) -> str | None:
    value = node.value if isinstance(node, nodes.Const) else None
    return value if isinstance(value, str) else None
