"""JSON Schema's verdict on values: validators for the components of a contract document.

Imports jsonschema_rs, which takes a fraction of jsonschema's time, and that for times only.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import FormatChecker
from jsonschema_rs import Draft202012Validator as Validator

_LIBRARY = FormatChecker(["date-time"])  # a KeyError here: rfc3339-validator is not installed


def _is_date_time(value: object) -> bool:
    # The library's pattern ends in $, which in Python lets a line feed through behind it.
    return _LIBRARY.conforms(value, "date-time") and not str(value).endswith("\n")


_FORMATS = {"date-time": _is_date_time}
_INTEGERS = {"int32": 2**31, "int64": 2**63}
"""OpenAPI's formats, which JSON Schema does not have, and the first number beyond them."""


def _bounded(node: Any) -> Any:
    """A copy, in which the formats of integers are bounds."""
    if isinstance(node, list):
        return [_bounded(each) for each in node]
    if not isinstance(node, Mapping):
        return node
    copied = {name: _bounded(value) for name, value in node.items()}
    if isinstance(name := node.get("format"), str) and (beyond := _INTEGERS.get(name)):
        copied["minimum"] = max(node.get("minimum", -beyond), -beyond)
        copied["maximum"] = min(node.get("maximum", beyond - 1), beyond - 1)
    return copied


class Schemas:
    """The schemas of a contract document, as what judges values."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._components = _bounded(document["components"])

    def validator(self, schema: Mapping[str, Any]) -> Validator:
        """A validator, formats included, of `schema`, whose references lead into the document."""
        rooted = {**_bounded(schema), "components": self._components}
        return Validator(rooted, validate_formats=True, formats=_FORMATS)

    def component(self, name: str) -> Validator:
        """A validator of the component `name`."""
        return self.validator({"$ref": f"#/components/schemas/{name}"})


def closed(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `document` in which no object may have properties that it does not declare.

    Answers are open for clients, but a server that answers what the contract does not say has
    drifted from it.
    """
    strict = copy.deepcopy(dict(document))
    for schema in strict["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return strict


def faults(of: Validator, value: Any) -> Iterator[str]:
    """What is wrong with `value`, each with its JSON Pointer."""
    for error in of.iter_errors(value):
        yield f"/{'/'.join(map(str, error.instance_path))}: {error.message}"
