"""JSON Schema's verdict on values: validators for the components of a contract document.

Imports jsonschema and aura_aio.contract only.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

_LIBRARY = FormatChecker(["date-time"])  # a KeyError here: rfc3339-validator is not installed
FORMATS = FormatChecker([])


@FORMATS.checks("date-time")
def _is_date_time(value: object) -> bool:
    # The library's pattern ends in $, which in Python lets a line feed through behind it.
    return _LIBRARY.conforms(value, "date-time") and not str(value).endswith("\n")


@FORMATS.checks("int32")
def _is_int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@FORMATS.checks("int64")
def _is_int64(value: object) -> bool:
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def validator(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Draft202012Validator:
    """A validator, formats included, of `schema`, whose references lead into `document`."""
    rooted = {**schema, "components": document["components"]}
    return Draft202012Validator(rooted, format_checker=FORMATS)


def component_validator(document: Mapping[str, Any], name: str) -> Draft202012Validator:
    """A validator of the component `name` of `document`."""
    return validator(document, {"$ref": f"#/components/schemas/{name}"})


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


def faults(of: Draft202012Validator, value: Any) -> Iterator[str]:
    """What is wrong with `value`, each with its JSON Pointer."""
    for error in of.iter_errors(value):
        yield f"{error.json_path}: {error.message}"
