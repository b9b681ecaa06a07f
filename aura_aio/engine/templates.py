"""Templates of a task: compiled when first rendered, kept with the definition.

May import jinja2, `catalog.template_checks`, and of `engine` `sandbox`, `failures` and the bounds.
"""

from collections.abc import Callable, ItemsView, KeysView, ValuesView
from types import GeneratorType, NoneType
from typing import Any, Final

from jinja2 import TemplateError, Undefined, nodes
from markupsafe import Markup

from aura_aio.catalog.template_checks import check_length, is_template
from aura_aio.engine.failures import TemplateFailed
from aura_aio.engine.sandbox import TemplateEnvironment
from aura_aio.engine.template_bounds import CLOCKS, USUAL_SECONDS, Budget, Clocks, check_size
from aura_aio.engine.template_weights import weigh

Names = dict[str, Any]
"""What a template sees, by name."""

_SCALARS: Final = frozenset({str, int, float, bool, NoneType})
_LAZY: Final = (GeneratorType, range, KeysView, ValuesView, ItemsView)
_STRUCTURES: Final = (nodes.List, nodes.Dict, nodes.Tuple, nodes.Call)
_FALSE: Final = frozenset({"", "false", "no", "off", "0", "none", "null"})
_SHOWN: Final = 120


class Template:
    """One template, with its place in the task for messages (`params.url`)."""

    __slots__ = ("_place", "_run", "_source", "_templates")

    def __init__(self, source: str, place: str, templates: "Templates") -> None:
        self._source = source
        self._place = place
        self._templates = templates
        self._run: Callable[[Names, Budget], Any] | None = None

    def render(self, names: Names, budget: Budget) -> Any:
        """The value of a template that is a single expression, the text of any other. Those that
        are rendered in one go share a `budget`.

        Raises:
            TemplateFailed: it cannot be rendered; says what, where, and in which template.
        """
        try:
            if self._run is None:
                self._run = self._templates.compile(self._source)
            budget.begin(self._templates.clocks, self._templates.seconds)
            return self._run(names, budget)
        except TemplateError as error:
            raise self._failed(error.message or "") from error
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise self._failed(str(error)) from error
        except (RecursionError, SyntaxError) as error:
            raise self._failed("It is nested too deeply") from error
        except Exception as error:  # also memory, and what a property of a result raises
            raise self._failed(f"{type(error).__name__}: {error}") from error

    def truth(self, names: Names, budget: Budget) -> bool:
        """Whether it is true; a text is false when it is empty or spells a false value.

        Raises:
            TemplateFailed: as `render`.
        """
        value = self.render(names, budget)
        if isinstance(value, str):
            return value.strip().lower() not in _FALSE
        return bool(value)

    def _failed(self, reason: str) -> TemplateFailed:
        source = self._source.strip()
        shown = source if len(source) <= _SHOWN else source[:_SHOWN] + "…"
        end = "" if reason.endswith((".", "?")) else "."
        return TemplateFailed(f"{self._place}: {reason}{end} (in `{shown}`)")


class Templates:
    """Compiles templates; belongs to one worker, and is used on its event loop only. What is
    rendered in one go may take `seconds` of a processor.
    """

    def __init__(self, seconds: float = USUAL_SECONDS, clocks: Clocks = CLOCKS) -> None:
        self.seconds = seconds
        self.clocks = clocks
        self._environment = TemplateEnvironment()

    def form(self, value: Any, place: str) -> Any:
        """`value` with every text in it that is a template in place as a `Template`; give it to
        `render`. `place` is where it stands in the task.
        """
        if isinstance(value, str):
            return Template(value, place, self) if is_template(value) else value
        if isinstance(value, dict):
            return {key: self.form(each, f"{place}.{key}") for key, each in value.items()}
        if isinstance(value, list):
            return [self.form(each, f"{place}[{index}]") for index, each in enumerate(value)]
        return value

    def compile(self, source: str) -> Callable[[Names, Budget], Any]:
        """What renders `source` to plain data.

        Raises:
            TemplateSyntaxError: it is no template, or too long.
            SyntaxError: it is nested too deeply.
        """
        environment = self._environment
        check_length(source)
        tree = environment.parse(source)
        deep = any(tree.find(kind) is not None for kind in _STRUCTURES)
        run = environment.runnable(tree)

        def to_data(names: Names, budget: Budget) -> Any:
            environment.budget = budget
            value = run(names)
            return _data(value, deep=deep) if type(value) not in _SCALARS else value

        return to_data


def _data(value: Any, *, deep: bool) -> Any:
    """`value` as plain data; what is within lists and dicts only if `deep`: a template that makes
    none hands on what was plain before.
    """
    if isinstance(value, Markup):
        return str(value)
    if isinstance(value, _LAZY):
        return _data(list(value), deep=True)
    if isinstance(value, (list, tuple, dict)):
        if not deep:
            return value
        check_size(sum(weigh(value)), "a value")
        if isinstance(value, dict):
            return {key: _data(each, deep=True) for key, each in value.items()}
        return [_data(each, deep=True) for each in value]
    if isinstance(value, Undefined):
        str(value)  # raises, as any use of it
    if isinstance(value, (str, int, float, NoneType)):
        return value
    raise TypeError(f"It gives a {type(value).__name__}, which is no data")


def render(form: Any, names: Names, budget: Budget | None = None) -> Any:
    """The value of a form of `Templates.form`: new lists and dicts, templates rendered; all of them
    share a budget.

    Raises:
        TemplateFailed: see `Template.render`.
    """
    kind = type(form)
    budget = budget or Budget()
    if kind is Template:
        return form.render(names, budget)
    if kind is dict:
        return {key: render(each, names, budget) for key, each in form.items()}
    if kind is list:
        return [render(each, names, budget) for each in form]
    return form


def truth(form: Any, names: Names, budget: Budget | None = None) -> bool:
    """Whether a condition, a template or a constant, is true."""
    if isinstance(form, Template):
        return form.truth(names, budget or Budget())
    if isinstance(form, str):
        return form.strip().lower() not in _FALSE
    return bool(form)


def own_copy(value: Any) -> Any:
    """A copy of plain data, for an action that may change what it is given."""
    if isinstance(value, dict):
        return {key: own_copy(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [own_copy(each) for each in value]
    return value
