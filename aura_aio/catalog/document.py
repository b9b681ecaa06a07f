"""YAML 1.2 as a tree of nodes that know their line and column.

May import the standard library, PyYAML, and of `catalog` `marks` and `yaml_faults`.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)
from yaml.reader import ReaderError

from aura_aio.catalog.marks import Mark
from aura_aio.catalog.yaml_faults import explain, mark_of

try:
    from yaml import CSafeLoader as _Parser
except ImportError:  # PyYAML was built without libyaml: 25 times slower, and less friendly faults
    from yaml import SafeLoader as _Parser  # type: ignore[assignment]

MAX_DEPTH: Final = 64
MAX_NODES: Final = 100_000
"""How many values a document may hold once all aliases are written out."""
MAX_DIGITS: Final = 1000
"""How many digits a number may have."""

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN: Final = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER: Final = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_STANDARD_TAG: Final = "tag:yaml.org,2002:"
_ODD: Final = re.compile("[\x85\u2028\u2029\ud800-\udfff]")
"""What one version of YAML takes for the end of a line and another does not, and no characters."""


class DocumentError(Exception):
    """The text is no YAML document that can be read; `mark` is where that showed."""

    def __init__(self, message: str, mark: Mark) -> None:
        super().__init__(message)
        self.mark = mark


class UnknownAnchor(DocumentError):
    """An alias is of no anchor before it."""

    def __init__(self, anchor: str, mark: Mark) -> None:
        super().__init__(
            f"There is no anchor &{anchor} before this alias. "
            "(A text that begins with * must stand in quotes.)",
            mark,
        )
        self.anchor = anchor


@dataclass(slots=True)
class Node:
    """A value where it stands: a scalar, a dict of text to Node, or a list of Nodes.

    `keys` are the places of a dict's keys, `repeated` its keys that were given twice. `size`
    counts the values in it, itself included, `depth` the levels below it.
    """

    value: Any
    mark: Mark
    size: int = 1
    depth: int = 0
    keys: dict[str, Mark] = field(default_factory=dict)
    repeated: tuple[tuple[str, Mark], ...] = ()

    def plain(self) -> Any:
        """The value without places: dicts, lists and scalars, all new."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def read_document(text: str) -> Node:
    """The tree of the one document in `text`; an empty text is a null.

    Types are those of the YAML 1.2 core schema: `yes` and `on` are text, dates are text. Keys are
    always text. Aliases and merge keys (`<<`) are resolved.

    Raises:
        DocumentError: no YAML, more than one document, or beyond `MAX_DEPTH` or `MAX_NODES`.
    """
    text = text.removeprefix("\ufeff")
    odd = _ODD.search(text)
    if odd is not None:
        raise _not_allowed(odd[0], text[: odd.start()])
    try:
        return _Composer(yaml.parse(text, Loader=_Parser)).document()
    except MarkedYAMLError as error:
        raise DocumentError(*explain(error, text)) from error
    except ReaderError as error:
        before = text.encode()[: error.position].decode(errors="ignore")
        raise _not_allowed(chr(int(error.character)), before) from error
    except YAMLError as error:
        raise DocumentError(f"This is no YAML: {error}", Mark(1, 1)) from error


def _not_allowed(character: str, before: str) -> DocumentError:
    mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
    if ord(character) < 0xD800 and not character.isprintable() and ord(character) > 0x7F:
        escape = f'"\\u{ord(character):04x}"'
        return DocumentError(f"An invisible {character!r} stands here: write it as {escape}.", mark)
    return DocumentError(f"The character {character!r} is not allowed.", mark)


class _Composer:
    """Builds nodes from the events of the parser."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, Node] = {}
        self._depth = 0
        self._made = 0

    def document(self) -> Node:
        root = Node(None, Mark(1, 1))
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    mark = mark_of(event.start_mark)
                    raise DocumentError("A second document begins here: a file holds one.", mark)
                root = self._node(next(self._events))
        return root

    def _node(self, event: Any) -> Node:
        mark = mark_of(event.start_mark)
        if isinstance(event, AliasEvent):
            if event.anchor not in self._anchors:
                raise UnknownAnchor(str(event.anchor), mark)
            return self._anchors[event.anchor]
        self._count(1, mark)
        if isinstance(event, ScalarEvent):
            node = Node(_scalar(event, mark), mark)
        else:
            node = self._collection(event, mark)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _count(self, more: int, mark: Mark) -> None:
        """Stop a document that is too long while it is read, and not when its end is reached."""
        self._made += more
        if self._made > MAX_NODES:
            raise DocumentError(f"The document holds more than {MAX_NODES:,} values.", mark)

    def _collection(self, event: Any, mark: Mark) -> Node:
        _check_tag(event.tag, {"map", "seq"}, mark)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise DocumentError(f"The nesting is deeper than {MAX_DEPTH} levels.", mark)
        is_mapping = isinstance(event, MappingStartEvent)
        node = self._mapping(mark) if is_mapping else self._sequence(mark)
        self._depth -= 1
        inner = node.value.values() if isinstance(node.value, dict) else node.value
        node.size = 1 + sum(each.size for each in inner)
        node.depth = 1 + max((each.depth for each in inner), default=0)
        if node.depth > MAX_DEPTH:  # through aliases
            raise DocumentError(f"The nesting is deeper than {MAX_DEPTH} levels.", mark)
        if node.size > MAX_NODES:
            raise DocumentError(
                f"With its aliases written out this holds more than {MAX_NODES:,} values.", mark
            )
        return node

    def _sequence(self, mark: Mark) -> Node:
        items: list[Node] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._node(event))
        return Node(items, mark)

    def _mapping(self, mark: Mark) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, Mark] = {}
        merged: list[Node] = []
        repeated: list[tuple[str, Mark]] = []
        while not isinstance(event := next(self._events), MappingEndEvent):
            key_mark = mark_of(event.start_mark)
            if not isinstance(event, ScalarEvent):
                raise DocumentError(_no_key(event, key_mark, mark), key_mark)
            key: str = event.value
            node = self._node(next(self._events))
            if key == "<<" and not event.style:
                merged.extend(_mappings_to_merge(node))
            elif key in values:
                repeated.append((key, key_mark))
            else:
                values[key] = node
                keys[key] = key_mark
        for other in merged:  # what stands in the mapping itself wins, then the first that has it
            self._count(len(other.value), mark)
            for key, node in other.value.items():
                if key not in values:
                    values[key] = node
                    keys[key] = other.keys[key]
        return Node(values, mark, keys=keys, repeated=tuple(repeated))


def _no_key(event: Any, key: Mark, mapping: Mark) -> str:
    if isinstance(event, MappingStartEvent) and key == Mark(mapping.line, mapping.column + 1):
        return 'A template must stand in quotes: "{{ … }}".'
    return "A key must be plain text."


def _mappings_to_merge(node: Node) -> list[Node]:
    found = node.value if isinstance(node.value, list) else [node]
    if not all(isinstance(each.value, dict) for each in found):
        raise DocumentError("`<<` takes a mapping, or a list of mappings.", node.mark)
    return list(found)


def _scalar(event: ScalarEvent, mark: Mark) -> Any:
    text: str = event.value
    _check_tag(event.tag, {"str", "int", "float", "bool", "null"}, mark)
    if event.style or event.tag in {"!", _STANDARD_TAG + "str"}:
        return text
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    return _number(text, mark)


def _number(text: str, mark: Mark) -> Any:
    """The number that `text` spells; `text` itself, if it spells none."""
    is_integer = _INTEGER.match(text)
    if not is_integer and not _FLOAT.match(text):
        if _NOT_FINITE.match(text):
            raise DocumentError(f"{text} is a number that JSON cannot carry.", mark)
        return text
    if len(text) > MAX_DIGITS:
        raise DocumentError(f"A number may have {MAX_DIGITS:,} digits.", mark)
    if is_integer:
        return int(text, 0 if text[:2] in {"0x", "0o"} else 10)
    number = float(text)
    if math.isinf(number):
        raise DocumentError(f"{text} is a number that JSON cannot carry.", mark)
    return number


def _check_tag(tag: str | None, known: set[str], mark: Mark) -> None:
    if tag not in {None, "!"} and str(tag).removeprefix(_STANDARD_TAG) not in known:
        raise DocumentError(
            f"The tag {tag} is not known here. (A text that begins with ! must stand in quotes.)",
            mark,
        )
