"""The Jinja2 environment of task templates: native values in a sandbox with bounds.

May import jinja2, the standard library, model.suggestions, `catalog.template_checks`, and of
`engine` the `template_` modules.
"""

from collections.abc import Callable, Iterable, Mapping, Sized
from itertools import islice
from types import ModuleType, NoneType
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
from aura_aio.engine.template_filters import FILTERS, bounded
from aura_aio.engine.template_weights import weigh
from aura_aio.model.suggestions import did_you_mean

_SCOPE: Final = ("_loop_vars", "_block_vars")
"""What Jinja2 passes to a call within a loop or block, beside the arguments."""
_MOST_SHOWN: Final = 100
_SMALL: Final = frozenset({int, float, bool, NoneType})
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
_CALLABLES: Final = (Macro, LoopContext, Joiner, Undefined)
"""Beside functions and methods; to call an undefined name says that it is undefined."""


class Named(dict[str, Any]):
    """A mapping that templates see, which knows what they call it."""

    __slots__ = ("_label",)

    def __init__(self, label: str, *args: Any) -> None:
        super().__init__(*args)
        self._label = label

    def _explained(self, name: str) -> str | None:
        """Why there is nothing of this name, where more can be said than that."""
        return None


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
    shown = repr(name)
    if len(shown) > _MOST_SHOWN or len(owner) > _MOST_SHOWN:  # to look for others takes long
        return f"There is no {shown[:_MOST_SHOWN]} in {label}."
    why = owner._explained(str(name)) if isinstance(owner, Named) else None
    if why is not None:
        return why
    others = [text for text in map(str, owner) if len(text) < _MOST_SHOWN]
    return f"There is no {shown} in {label}.{did_you_mean(str(name), others)}"


class _Generator(NativeCodeGenerator):
    """Makes code that evaluates nothing before it runs."""

    def _output_child_to_const(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> Any:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return node.data


class _Bounds(NodeTransformer):
    """Puts calls of the environment's own methods into a template, so that what is no call there
    is bounded, too: loops, comparisons, slices, keys, and the operator `~`.
    """

    def visit_For(self, node: nodes.For) -> nodes.For:
        self.generic_visit(node)
        node.iter = _own("walked", node.iter)
        node.body.insert(0, nodes.ExprStmt(_own("turn", at=node), lineno=node.lineno))
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Macro:
        self.generic_visit(node)
        node.body.insert(0, nodes.ExprStmt(_own("turn", at=node), lineno=node.lineno))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Call:
        self.generic_visit(node)
        return _own("joined", *node.nodes, at=node)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:
        self.generic_visit(node)
        node.expr = _own("weighed", node.expr)
        for operand in node.ops:
            operand.expr = _own("weighed", operand.expr)
        return node

    def visit_Pair(self, node: nodes.Pair) -> nodes.Pair:
        self.generic_visit(node)
        if not isinstance(node.key, nodes.Const):
            node.key = _own("weighed", node.key)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        bounds_of_slice = (node.arg.start, node.arg.stop, node.arg.step)
        ends = [each or nodes.Const(None, lineno=node.lineno) for each in bounds_of_slice]
        return _own("sliced", node.node, *ends)


def _own(method: str, *args: Any, at: nodes.Node | None = None) -> nodes.Call:
    """A call of a method of the environment, by an attribute that no template can name."""
    line = (at or args[0]).lineno
    function = nodes.EnvironmentAttribute(method, lineno=line)
    return nodes.Call(function, list(args), [], None, None, lineno=line)


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Compiles templates.

    Beyond Jinja2's own sandbox: a key of a mapping goes before a method of the same name; of the
    values of a template only those methods can be called that compute something from plain data;
    nothing is evaluated at compile time; all that a template does is counted in its `budget`.
    """

    code_generator_class = _Generator
    intercepted_binops = frozenset({"+", "*", "**", "%", "//"})

    _checks: ClassVar[dict[str, Callable[[Any, Any], None]]] = {
        "+": bounds.check_add,
        "*": bounds.check_multiply,
        "**": bounds.check_power,
        "%": bounds.check_numbers,
        "//": bounds.check_numbers,
    }

    def __init__(self) -> None:
        super().__init__(undefined=_Undefined, optimized=False, autoescape=False)
        self.budget = bounds.Budget()
        """That of the rendering under way."""
        del self.globals["lipsum"]
        self.globals["range"] = bounds.bounded_range
        self.filters.update(FILTERS)
        for name in REMOVED_FILTERS:
            del self.filters[name]
        tables: tuple[dict[str, Any], ...] = (self.filters, self.tests)
        for table in tables:
            for name, function in table.items():
                table[name] = bounded(name, function, lambda: self.budget)
        own = (self.turn, self.walked, self.joined, self.weighed, self.sliced)
        self._own = {method.__name__ for method in own}
        self._functions = tuple(self.globals.values())

    def runnable(self, tree: nodes.Template) -> Callable[[dict[str, Any]], Any]:
        """What renders a template within the `budget`: called with the names that it sees.

        Raises:
            TemplateSyntaxError: it uses something that there is not.
            SyntaxError: Python cannot compile it: its statements are nested too deeply.
        """
        template = self.from_string(_Bounds().visit(tree))
        render, new_context = template.root_render_func, template.new_context

        def run(names: dict[str, Any]) -> Any:
            return self.concat(render(new_context(names)))

        return run

    def turn(self) -> None:
        """Count a turn of a loop, or a call of a macro."""
        self.budget.turn()

    def walked(self, values: Any) -> Any:
        """What a loop goes through, counted."""
        if isinstance(values, Sized) and not isinstance(values, Undefined):
            self.budget.spend(len(values))
        return values

    def weighed(self, value: Any) -> Any:
        """A value that is compared, or looked up, or given to a function, counted."""
        kind = type(value)
        if kind not in _SMALL and (kind is not str or len(value) > _MOST_SHOWN):
            self.budget.spend(weigh(value).units)
        return value

    def sliced(self, value: Any, start: Any, stop: Any, step: Any) -> Any:
        """`value[start:stop:step]`."""
        return self.budget.made(value[start:stop:step])

    def joined(self, *values: Any) -> Any:
        """The texts of `values` in a row: the operator `~`."""
        return self.budget.made(bounds.joined(map(self.weighed, values)))

    def concat(self, values: Iterable[Any]) -> Any:
        """What a template puts out: one value as it is, several as one text."""
        rest = iter(values)
        head = list(islice(rest, 2))
        if len(head) == 1:
            return head[0]
        return self.joined(*head, *rest)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute` in a template."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]` in a template."""
        return super().getitem(obj, self.weighed(argument))

    def is_safe_callable(self, obj: Any) -> bool:
        """Whether a template may call `obj`."""
        owner = getattr(obj, "__self__", None)
        if owner is self:
            return obj.__name__ in self._own
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
        owner = getattr(__obj, "__self__", None)
        if owner is __self:
            return __obj(*args)
        if not __self.is_safe_callable(__obj):
            name = getattr(__obj, "__name__", type(__obj).__name__)
            raise SecurityError(f"A template cannot call {name!r}.")
        scope = {name: kwargs.pop(name) for name in _SCOPE if name in kwargs}
        __self.budget.spend(bounds.TURN)
        for arg in (*args, *kwargs.values()):
            __self.weighed(arg)
        if isinstance(owner, str):
            __self.weighed(owner)
            made = bounds.call_text_method(__self.budget, __obj, args, kwargs)
        else:
            made = __context.call(__obj, *args, **kwargs, **scope)
        return __self.budget.made(made)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Carry out an operator, if what comes of it is not too large."""
        if operator == "%" and isinstance(left, str):
            return self.budget.made(bounds.formatted(left, right))
        self._checks[operator](left, right)
        return self.budget.made(self.binop_table[operator](left, right))
