"""YAML 1.2 as a tree of nodes that know their line and column.

May import the standard library and ruamel.yaml only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

MAX_DEPTH: Final = 64
MAX_NODES: Final = 100_000
"""How many values a document may hold once all aliases are written out."""

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN: Final = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,4000}\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_STANDARD_TAG: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; both count from 1."""

    line: int
    column: int


class DocumentError(Exception):
    """The text is no YAML document that can be read; `mark` is where that showed."""

    def __init__(self, message: str, mark: Mark) -> None:
        super().__init__(message)
        self.mark = mark


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
    try:
        return _Composer(YAML(typ="safe", pure=True).parse(text)).document()
    except MarkedYAMLError as error:
        raise DocumentError(_sentence(error), _mark(error.problem_mark)) from error
    except ReaderError as error:
        before = text[: error.position]
        mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise DocumentError(f"The character {error.character!r} is not allowed.", mark) from error
    except (YAMLError, RecursionError) as error:
        raise DocumentError(f"This is no YAML: {error}", Mark(1, 1)) from error


class _Composer:
    """Builds nodes from the events of the parser."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, Node] = {}
        self._depth = 0

    def document(self) -> Node:
        root = Node(None, Mark(1, 1))
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise DocumentError(
                        "A second document begins here: a file holds one.", _mark(event.start_mark)
                    )
                root = self._node(next(self._events))
        return root

    def _node(self, event: Any) -> Node:
        mark = _mark(event.start_mark)
        if isinstance(event, AliasEvent):
            if event.anchor not in self._anchors:
                raise DocumentError(f"There is no anchor &{event.anchor} before this alias.", mark)
            return self._anchors[event.anchor]
        if isinstance(event, ScalarEvent):
            node = Node(_scalar(event, mark), mark)
        else:
            node = self._collection(event, mark)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _collection(self, event: Any, mark: Mark) -> Node:
        _check_tag(event.tag, {"map", "seq"}, mark)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise DocumentError(f"The nesting is deeper than {MAX_DEPTH} levels.", mark)
        if isinstance(event, MappingStartEvent):
            node = self._mapping(mark)
        elif isinstance(event, SequenceStartEvent):
            node = self._sequence(mark)
        else:
            raise DocumentError(f"Unexpected here: {event}", mark)
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
            key_mark = _mark(event.start_mark)
            if not isinstance(event, ScalarEvent):
                raise DocumentError("A key must be plain text.", key_mark)
            key: str = event.value
            node = self._node(next(self._events))
            if key == "<<" and event.style is None:
                merged.extend(_mappings_to_merge(node))
            elif key in values:
                repeated.append((key, key_mark))
            else:
                values[key] = node
                keys[key] = key_mark
        for other in merged:  # what stands in the mapping itself wins, then the first that has it
            for key, node in other.value.items():
                if key not in values:
                    values[key] = node
                    keys[key] = other.keys[key]
        return Node(values, mark, keys=keys, repeated=tuple(repeated))


def _mappings_to_merge(node: Node) -> list[Node]:
    found = node.value if isinstance(node.value, list) else [node]
    if not all(isinstance(each.value, dict) for each in found):
        raise DocumentError("`<<` takes a mapping, or a list of mappings.", node.mark)
    return list(found)


def _scalar(event: ScalarEvent, mark: Mark) -> Any:
    text: str = event.value
    _check_tag(event.tag, {"str", "int", "float", "bool", "null"}, mark)
    if event.style is not None or event.tag in {"!", _STANDARD_TAG + "str"}:
        return text
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _INTEGER.match(text):
        return int(text, 0 if text[:2] in {"0x", "0o"} else 10)
    if _FLOAT.match(text):
        return float(text)
    if _NOT_FINITE.match(text):
        raise DocumentError(f"{text} is a number that JSON cannot carry.", mark)
    return text


def _check_tag(tag: str | None, known: set[str], mark: Mark) -> None:
    if tag not in {None, "!"} and str(tag).removeprefix(_STANDARD_TAG) not in known:
        raise DocumentError(f"The tag {tag} is not known here.", mark)


def _mark(mark: Any) -> Mark:
    return Mark(1, 1) if mark is None else Mark(mark.line + 1, mark.column + 1)


def _sentence(error: MarkedYAMLError) -> str:
    parts = [str(part) for part in (error.context, error.problem) if part]
    return f"This is no YAML: {', '.join(parts)}."
