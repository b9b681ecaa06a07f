"""Inputs of a run from the command line: texts, typed by the task's inputs schema.

May import click, msgspec and the standard library.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from aura_aio.model import json

_TRUE: Final = frozenset({"true", "yes", "y", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "n", "off", "0"})


def split_pairs(pairs: Iterable[str]) -> list[tuple[str, str]]:
    """The names and texts of `name=value`; `name=@file` is the text of a file, `@@` a plain `@`.

    Raises:
        click.BadParameter: a pair has no `=`, or a file cannot be read.
    """
    return [_split(pair) for pair in pairs]


def read_document(content: bytes) -> dict[str, Any]:
    """The inputs in a JSON document.

    Raises:
        click.BadParameter: it is no JSON object.
    """
    try:
        document = json.loads(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="--inputs") from error
    if not isinstance(document, dict):
        raise click.BadParameter("not a JSON object", param_hint="--inputs")
    return document


def typed(pairs: Iterable[tuple[str, str]], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `pairs`, each of the type that its property of `schema` (JSON Schema) asks for.

    A list is JSON, or is given item by item, by its name several times. What has no type in the
    schema is JSON when it reads as such, else text. Whether the values fit is the server's to say.

    Raises:
        click.BadParameter: a text is no value of its type, or a name is given twice.
    """
    properties = schema.get("properties", {})
    inputs: dict[str, Any] = {}
    for name, text in pairs:
        rule = properties.get(name, {})
        if rule.get("type") == "array" and not text.lstrip().startswith("["):
            inputs.setdefault(name, []).append(_value(name, text, rule.get("items", {})))
        elif name in inputs:
            raise click.BadParameter(f"{name} is given twice", param_hint="-i")
        else:
            inputs[name] = _value(name, text, rule)
    return inputs


def _split(pair: str) -> tuple[str, str]:
    name, equals, text = pair.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{pair!r} is not name=value", param_hint="-i")
    if text.startswith("@@"):
        return name, text[1:]
    if not text.startswith("@"):
        return name, text
    try:
        return name, Path(text[1:]).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise click.BadParameter(f"{name}: {text[1:]}: {why}", param_hint="-i") from error


def _value(name: str, text: str, rule: Mapping[str, Any]) -> Any:
    kind = rule.get("type")
    shown = "***" if rule.get("writeOnly") else text
    if kind == "string" or text in rule.get("enum", ()):
        return text
    if kind == "boolean":
        word = text.strip().lower()
        if word in _TRUE | _FALSE:
            return word in _TRUE
        raise _misfit(name, shown, "true or false")
    try:
        value = json.loads(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        if kind is None or isinstance(kind, list):
            return text
        raise _misfit(name, shown, _EXPECTED.get(kind, kind)) from None
    if kind in _EXPECTED and (isinstance(value, bool) or not isinstance(value, _TYPES[kind])):
        raise _misfit(name, shown, _EXPECTED[kind])
    return value


_EXPECTED: Final = {
    "integer": "an integer",
    "number": "a number",
    "array": "a list (JSON)",
    "object": "an object (JSON)",
}
_TYPES: Final[Mapping[str, type[Any] | tuple[type[Any], ...]]] = {
    "integer": (int, float),
    "number": (int, float),
    "array": list,
    "object": dict,
}


def _misfit(name: str, text: str, expected: str) -> click.BadParameter:
    brief = text if len(text) <= 60 else text[:60] + "…"
    return click.BadParameter(f"{name}: {brief!r} is not {expected}", param_hint="-i")
