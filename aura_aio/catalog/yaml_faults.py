"""What a YAML parser finds wrong, in a sentence that the author of a plan can act on.

May import the standard library, PyYAML and `catalog.marks`.
"""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from yaml.error import MarkedYAMLError

from aura_aio.catalog.marks import Mark

_LINE_END: Final = re.compile("\r\n|\r|\n")
_TEMPLATE: Final = "a template must stand in quotes"


class _Fault(NamedTuple):
    """What the parser says: `problem` at `mark`, while it did `context` from `begin` on."""

    context: str
    problem: str
    begin: Mark
    mark: Mark
    lines: list[str]

    @property
    def before(self) -> str:
        """What stands in the line before `mark`."""
        return self.lines[self.mark.line - 1][: self.mark.column - 1]

    @property
    def rest(self) -> str:
        """What stands in the line from `mark` on."""
        return self.lines[self.mark.line - 1][self.mark.column - 1 :]

    @property
    def opened(self) -> str:
        """The character at `begin`."""
        return self.lines[self.begin.line - 1][self.begin.column - 1 :][:1]

    @property
    def is_at_the_end(self) -> bool:
        """Whether only blank space follows."""
        return not self.rest.strip() and not any(map(str.strip, self.lines[self.mark.line :]))


def explain(error: MarkedYAMLError, text: str) -> tuple[str, Mark]:
    """What is wrong with `text`, and where to look."""
    lines = _LINE_END.split(text)
    mark = _within(lines, mark_of(error.problem_mark))
    fault = _Fault(
        context=error.context or "",
        problem=error.problem or "",
        begin=_within(lines, mark_of(error.context_mark)) if error.context_mark else mark,
        mark=mark,
        lines=lines,
    )
    found = next((said for rule in _RULES if (said := rule(fault)) is not None), None)
    if found is None:
        found = ", ".join(filter(None, (fault.context, fault.problem))), mark
    return f"This is no YAML: {found[0]}.", found[1]


def mark_of(mark: Any) -> Mark:
    """The place that the parser names (it counts from 0), or the beginning."""
    return Mark(1, 1) if mark is None else Mark(mark.line + 1, mark.column + 1)


def _within(lines: list[str], mark: Mark) -> Mark:
    """`mark`; the end of the text if that is where one more line would begin."""
    return mark if mark.line <= len(lines) else Mark(len(lines), len(lines[-1]) + 1)


_Said = tuple[str, Mark] | None


def _tab(fault: _Fault) -> _Said:
    if fault.rest.startswith("\t") or "tab character" in fault.problem:
        return "a tab stands here, and YAML is indented with spaces only", fault.mark
    return None


def _unquoted(fault: _Fault) -> _Said:
    if "cannot start any token" in fault.problem:
        if fault.before.endswith("{"):
            return _TEMPLATE, Mark(fault.mark.line, fault.mark.column - 1)
        return f"a text that begins with {fault.rest[:1]} must stand in quotes", fault.mark
    if "scanning an alias" in fault.context or "scanning an anchor" in fault.context:
        return f"a text that begins with {fault.opened} must stand in quotes", fault.begin
    return None


def _colon(fault: _Fault) -> _Said:
    if "mapping values are not allowed" not in fault.problem:
        return None
    key = fault.before.strip().lstrip("- ")
    if ":" not in key and not key.startswith(("'", '"')):
        said = "a key is not expected here: the line above lacks its ':', or this one is indented"
        return f"{said} too far", fault.mark
    return "a text that holds ': ' must stand in quotes", fault.mark


def _no_colon(fault: _Fault) -> _Said:
    if "could not find expected ':'" in fault.problem:
        return "a ':' is missing behind this key", fault.begin
    return None


def _quote(fault: _Fault) -> _Said:
    if "quoted scalar" not in fault.context:
        return None
    if "end of stream" in fault.problem or "document indicator" in fault.problem:
        return "the quote that opens here is never closed", fault.begin
    if "hexdecimal" in fault.problem or "escape" in fault.problem:
        said = "a backslash in double quotes begins an escape: write \\\\, or use single quotes"
        return said, Mark(fault.mark.line, fault.before.rfind("\\") + 1 or fault.mark.column)
    return None


def _bracket(fault: _Fault) -> _Said:
    if fault.opened not in {"{", "["} or "did not find expected" not in fault.problem:
        return None
    begin = fault.begin
    if fault.is_at_the_end:
        return f"the {fault.opened} that opens here is never closed", begin
    if fault.rest.startswith(":") and begin.line == fault.mark.line:
        return "a text that holds ': ' must stand in quotes", fault.mark
    missing = "}" if fault.opened == "{" else "]"
    return f"expected , or {missing} here, since line {begin.line} opens {fault.opened}", fault.mark


def _block(fault: _Fault) -> _Said:
    if "did not find expected '-' indicator" in fault.problem:
        said = f"expected '- ' here, as the list of line {fault.begin.line} is not over"
        return f"{said}: is the indentation right?", fault.mark
    if "did not find expected key" in fault.problem:
        if not fault.before.strip():
            return "the indentation of this line fits to no line above", fault.mark
        return "nothing may follow here: put the whole text in quotes", fault.mark
    if "did not find expected node content" in fault.problem:
        return "a value is missing here", fault.mark
    if "expected comment or line break" in fault.problem:
        return "behind | or > the text begins on the next line", fault.mark
    return None


_RULES: Final[tuple[Callable[[_Fault], _Said], ...]] = (
    _tab, _unquoted, _colon, _no_colon, _quote, _bracket, _block,
)  # fmt: skip
