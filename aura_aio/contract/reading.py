"""Reading YAML as strictly as JSON: no dates, no yes and no, no key twice.

May import the standard library, PyYAML and `model` only.
"""

import re
from collections.abc import Hashable
from typing import Any, cast

import yaml

from aura_aio.model.errors import ContractError

try:
    from yaml import CSafeLoader as _FastLoader
except ImportError:  # PyYAML was built without libyaml: the same result, ten times slower
    from yaml import SafeLoader as _FastLoader  # type: ignore[assignment]


class _JsonLikeLoader(_FastLoader):
    """Scalars are what JSON knows, whatever YAML 1.1 would make of them (dates, `on`, `1:30`)."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        self._seen: set[int] = set()

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse what JSON can not say: a key that is no string or stands there twice, an alias."""
        keys: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag != "tag:yaml.org,2002:str":
                raise ContractError(f"line {line}: the key {key.value!r} must be quoted.")
            if key.value in keys:
                raise ContractError(f"line {line}: the key {key.value!r} stands there twice.")
            keys.add(key.value)
            self._first_time(value, line)
        return super().construct_mapping(node, deep)

    def construct_sequence(self, node: yaml.SequenceNode, deep: bool = False) -> list[Any]:
        """Refuse aliases."""
        for item in node.value:
            self._first_time(item, node.start_mark.line + 1)
        return super().construct_sequence(node, deep)

    def _first_time(self, node: yaml.Node, line: int) -> None:
        """An alias is the node that it stands for, once more; many parsers allow few or none."""
        if id(node) in self._seen:
            raise ContractError(f"line {line}: an alias; write out what it stands for.")
        self._seen.add(id(node))


for _tag, _pattern, _first in (
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("bool", r"^(?:true|false)$", list("tf")),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", list("-0123456789")),
    ("float", r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", list("-0123456789")),
):
    _JsonLikeLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def read_yaml(text: bytes, source: str) -> dict[str, Any]:
    """The object that the YAML `text` stands for.

    Raises:
        ContractError: it is no YAML, no object, or has a key twice; the message begins with
            `source`, the name of the file.
    """
    try:
        document = yaml.load(text, Loader=_JsonLikeLoader)  # noqa: S506 - a safe one # nosec B506
    except yaml.YAMLError as error:
        raise ContractError(f"{source} is not YAML: {error}") from error
    except ContractError as error:
        raise ContractError(f"{source}, {error}") from error
    if not isinstance(document, dict):
        raise ContractError(f"{source} is not an object.")
    return cast("dict[str, Any]", document)
