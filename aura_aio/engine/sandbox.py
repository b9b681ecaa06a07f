"""The Jinja2 environment of task templates: native values in a sandbox with bounds.

May import jinja2, the standard library, model.suggestions, `catalog.template_checks`, and of
`engine` the `template_` modules.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from types import ModuleType
from typing import Any, ClassVar, Final

from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.nativetypes import NativeCodeGenerator
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner
from jinja2.visitor import NodeTransformer

from aura_aio.catalog.template_checks import REMOVED_FILTERS
from aura_aio.engine import template_bounds as bounds
from aura_aio.engine.template_filters import FILTERS
from aura_aio.model.suggestions import did_you_mean

_TURN: Final = "_aura_turn"
_JOIN: Final = "_aura_join"
_TEXT_METHODS: Final = frozenset(
    {
        "capitalize", "casefold", "center", "count", "endswith", "find", "index", "isalnum",
        "isalpha", "isascii", "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle",
        "isupper", "join", "ljust", "lower", "lstrip", "partition", "removeprefix", "removesuffix",
        "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split",
        "splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill",
    }
)  # fmt: skip
_METHODS: Final[tuple[tuple[type, frozenset[str]], ...]] = (
    (str, _TEXT_METHODS),
    (dict, frozenset({"get", "items", "keys", "values"})),
    (list, frozenset({"count", "index"})),
    (tuple, frozenset({"count", "index"})),
    (float, frozenset({"is_integer"})),
    (LoopContext, frozenset({"cycle", "changed"})),
    (Cycler, frozenset({"next", "reset"})),
)
_CALLABLES: Final = (bounds.Budget, Macro, LoopContext, Joiner, Undefined)
"""Beside functions and methods; to call an undefined name says that it is undefined."""


class Named(dict[str, Any]):
    """A mapping that templates see, which knows what they call it."""

    __slots__ = ("_label",)

    def __init__(self, label: str, *args: Any) -> None:
        super().__init__(*args)
        self._label = label


class SecretNames:
    """What templates see as `secrets`: a value by its name, and no way to all of them. `used` is
    told each value that is given out.
    """

    __slots__ = ("_secrets", "_used")
    __iter__: None = None

    def __init__(self, secrets: Mapping[str, str], used: Callable[[Iterable[str]], None]) -> None:
        self._secrets = secrets
        self._used = used

    def __getitem__(self, name: object) -> str:
        if not isinstance(name, str):
            raise KeyError(name)
        value = self._secrets[name]
        self._used((value,))
        return value

    def __repr__(self) -> str:
        return "<the secrets>"


class _Undefined(StrictUndefined):
    """A name without a value: any use of it says where it was looked for."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        owner = self._undefined_obj
        if not self._undefined_hint and isinstance(owner, dict):
            return _missing(owner, self._undefined_name)
        if isinstance(owner, SecretNames):
            name = self._undefined_name
            return (
                f"There is no secret {name!r}: start the server with the variable "
                f"AURA_SECRET_{name}, or with a secrets file that has it."
            )
        return str(super()._undefined_message)


def _missing(owner: dict[str, Any], name: object) -> str:
    label = owner._label if isinstance(owner, Named) else "this mapping"
    return f"There is no {name!r} in {label}.{did_you_mean(str(name), map(str, owner))}"


class _Generator(NativeCodeGenerator):
    """Makes code that evaluates nothing before it runs."""

    def _output_child_to_const(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> Any:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return node.data


class _Bounds(NodeTransformer):
    """Puts a call of the budget into each loop, and bounds the operator `~`."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - jinja2 looks it up so
        self.generic_visit(node)
        node.body.insert(0, _turn(node.lineno))
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Macro:  # noqa: N802
        self.generic_visit(node)
        node.body.insert(0, _turn(node.lineno))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Call:  # noqa: N802
        self.generic_visit(node)
        join = nodes.Name(_JOIN, "load", lineno=node.lineno)
        return nodes.Call(join, node.nodes, [], None, None, lineno=node.lineno)


def _turn(line: int) -> nodes.ExprStmt:
    name = nodes.Name(_TURN, "load", lineno=line)
    return nodes.ExprStmt(nodes.Call(name, [], [], None, None, lineno=line), lineno=line)


def _join_all(*values: Any) -> str:
    return bounds.joined(values)


def _single_or_joined(values: Iterable[Any]) -> Any:
    """One value as it is, several as one text."""
    rest = iter(values)
    head = list(islice(rest, 2))
    if len(head) == 1:
        return head[0]
    return bounds.joined(_chain(head, rest))


def _chain(head: list[Any], rest: Iterable[Any]) -> Iterable[Any]:
    yield from head
    yield from rest


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Compiles templates.

    Beyond Jinja2's own sandbox: a key of a mapping goes before a method of the same name; of the
    values of a template only those methods can be called that compute something from plain data;
    nothing is evaluated at compile time; loops, texts and numbers are bounded.
    """

    code_generator_class = _Generator
    concat = staticmethod(_single_or_joined)
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    _checks: ClassVar[dict[str, Callable[[Any, Any], None]]] = {
        "+": bounds.check_add,
        "*": bounds.check_multiply,
        "**": bounds.check_power,
        "%": bounds.check_modulo,
    }

    def __init__(self) -> None:
        super().__init__(undefined=_Undefined, optimized=False, autoescape=False)
        del self.globals["lipsum"]
        self.filters.update(FILTERS)
        for name in REMOVED_FILTERS:
            del self.filters[name]
        self._functions = (*self.globals.values(), _join_all)

    def runnable(self, tree: nodes.Template) -> Callable[[dict[str, Any], bounds.Budget], Any]:
        """What renders a template: called with the names that it sees, and what it may use.

        Raises:
            TemplateSyntaxError: it uses something that there is not.
        """
        template = self.from_string(_Bounds().visit(tree))
        render, new_context = template.root_render_func, template.new_context

        def run(names: dict[str, Any], budget: bounds.Budget) -> Any:
            context = new_context({**names, _TURN: budget, _JOIN: _join_all})
            return _single_or_joined(render(context))

        return run

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute` in a template."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_callable(self, obj: Any) -> bool:
        """Whether a template may call `obj`."""
        owner = getattr(obj, "__self__", None)
        if owner is None or isinstance(owner, ModuleType):
            return isinstance(obj, _CALLABLES) or any(obj is known for known in self._functions)
        names = next((names for kind, names in _METHODS if isinstance(owner, kind)), ())
        return obj.__name__ in names

    def call(
        __self,  # noqa: N805 - as in jinja2: a template may pass an argument called `self`
        __context: Context,
        __obj: Any,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Call `__obj` from a template, if that is safe and what comes of it is not too large."""
        if not __self.is_safe_callable(__obj):
            name = getattr(__obj, "__name__", type(__obj).__name__)
            raise SecurityError(f"A template cannot call {name!r}.")
        if isinstance(getattr(__obj, "__self__", None), str):
            bounds.call_method(__obj, args)
        return __context.call(__obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Carry out an operator, if what comes of it is not too large."""
        self._checks[operator](left, right)
        return self.binop_table[operator](left, right)
