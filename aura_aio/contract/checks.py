"""What must hold of the contract beyond the OpenAPI standard; every fault is found, with its place.

May import the standard library, the rest of `contract` and `model` only.
"""

import re
from collections import Counter
from collections.abc import Iterator

import msgspec

from aura_aio.contract.deprecation import deprecation_faults
from aura_aio.contract.references import (
    METHODS,
    REF,
    Json,
    component_name,
    find,
    mapping,
    operations,
    parameters,
    resolve,
    walk,
)
from aura_aio.contract.schema_checks import schema_faults
from aura_aio.contract.security_checks import security_faults
from aura_aio.model.errors import ContractError

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
TEXTS = ("application/x-ndjson", "text/event-stream", "text/plain")
"""What an answer may be beside JSON, or instead of it: text, a line at a time."""
_CAMEL_CASE = re.compile(r"[a-z][a-zA-Z0-9]*")
_SNAKE_CASE = re.compile(r"[a-z][a-z0-9_]*")
_TRAIN_CASE = re.compile(r"[A-Z][a-zA-Z0-9]*(-[A-Z][a-zA-Z0-9]*)*")
_LOCATIONS = ("path", "query", "header")
_ITEM_KEYS = frozenset({*METHODS, "parameters", "summary", "description"})


class Fault(msgspec.Struct, frozen=True, order=True):
    """Something that breaks a rule; `place` is written `paths./api/runs.get`."""

    place: str
    message: str


def check(document: Json, source: str) -> None:
    """Pass only a document that the server can be built on.

    Raises:
        ContractError: it breaks a rule; the message names `source` and lists every fault.
    """
    found = faults(document)
    if found:
        listed = "\n".join(f"- {fault.place}: {fault.message}" for fault in found)
        raise ContractError(f"{source} breaks {len(found)} rule(s) of the contract:\n{listed}")


def faults(document: Json) -> list[Fault]:
    """Every fault of `document`. When it is broken in its shape, the other rules are not tried."""
    found = [Fault(place, message) for place, message in _shape(document)]
    if not found:
        found = [
            *(Fault(place, message) for place, message in _operation_faults(document)),
            *(Fault(place, message) for place, message in schema_faults(document)),
        ]
    return found


def _shape(document: Json) -> Iterator[tuple[str, str]]:
    if not str(document.get("openapi", "")).startswith("3.1."):
        yield "openapi", "must be 3.1"
    if not isinstance(mapping(document.get("info")).get("version"), str):
        yield "info.version", "is missing"
    if not mapping(document.get("paths")):
        yield "paths", "there is no operation"
    if not mapping(mapping(document.get("components")).get("schemas")):
        yield "components.schemas", "there is no component"
    for path, item in mapping(document.get("paths")).items():
        yield from _path_item(f"paths.{path}", mapping(item))
    for place, node in walk(document):
        ref = node.get(REF)
        if isinstance(ref, str) and find(document, ref) is None:
            yield place, f"refers to {ref}, which does not exist"


def _path_item(place: str, item: Json) -> Iterator[tuple[str, str]]:
    for key, value in item.items():
        if key not in _ITEM_KEYS:
            yield f"{place}.{key}", "is no method"
        elif key in METHODS and not mapping(mapping(value).get("responses")):
            yield f"{place}.{key}", "has no responses"


def _operation_faults(document: Json) -> Iterator[tuple[str, str]]:
    tags = {
        str(tag.get("name")): tag.get("description")
        for tag in map(mapping, document.get("tags") or ())
    }
    for name, description in tags.items():
        if not description:
            yield f"tags.{name}", "has no description"
    ids = Counter(operation.get("operationId") for _, _, _, operation in operations(document))
    for path, method, item, operation in operations(document):
        place = f"paths.{path}.{method}"
        listed = parameters(document, item, operation)
        yield from _names(place, operation, ids)
        yield from _texts(place, operation, tags)
        yield from security_faults(document, place, path, operation)
        yield from deprecation_faults(place, operation)
        yield from _parameters(place, path, listed)
        yield from _body(place, operation)
        yield from _statuses(document, place, operation, listed)
        for status, response in operation["responses"].items():
            where = f"{place}.responses.{status}"
            yield from _answer(document, where, status, resolve(document, response))


def _names(place: str, operation: Json, ids: Counter[object]) -> Iterator[tuple[str, str]]:
    operation_id = operation.get("operationId")
    if not isinstance(operation_id, str):
        yield place, "has no operationId"
    elif not _CAMEL_CASE.fullmatch(operation_id):
        yield place, f"the operationId {operation_id!r} is not in camelCase"
    elif ids[operation_id] > 1:
        yield place, f"the operationId {operation_id!r} is used more than once"


def _texts(place: str, operation: Json, tags: Json) -> Iterator[tuple[str, str]]:
    for word in ("summary", "description"):
        if not str(operation.get(word) or "").strip():
            yield place, f"has no {word}"
    own = operation.get("tags") or []
    if len(own) != 1:
        yield place, "must have exactly one tag"
    elif own[0] not in tags:
        yield place, f"the tag {own[0]!r} is not declared"


def _parameters(place: str, path: str, listed: list[Json]) -> Iterator[tuple[str, str]]:
    template = re.findall(r"\{([^}]*)\}", path)
    declared = [each.get("name") for each in listed if each.get("in") == "path"]
    if sorted(template) != sorted(map(str, declared)):
        yield place, f"the path takes {template}, but the path parameters are {declared}"
    for parameter in listed:
        name, location = str(parameter.get("name")), parameter.get("in")
        where = f"{place}.parameters.{name}"
        shape = _TRAIN_CASE if location == "header" else _SNAKE_CASE
        if location not in _LOCATIONS:
            yield where, f"must be in one of {', '.join(_LOCATIONS)}, not {location!r}"
        elif not shape.fullmatch(name):
            yield (
                where,
                "must be in Train-Case" if location == "header" else "must be in snake_case",
            )
        if location == "path" and parameter.get("required") is not True:
            yield where, "is in the path, so it must be required"
        if not parameter.get("description"):
            yield where, "has no description"
        if not mapping(parameter.get("schema")):
            yield where, "has no schema"


def _body(place: str, operation: Json) -> Iterator[tuple[str, str]]:
    body = operation.get("requestBody")
    statuses = operation["responses"]
    for status in ("400", "408", "413", "415"):
        if body is not None and status not in statuses:
            yield place, f"takes a body, but does not list {status}"
        elif body is None and status != "400" and status in statuses:
            yield place, f"takes no body, but lists {status}"
    if body is not None:
        content = mapping(mapping(body).get("content"))
        if list(content) != [JSON]:
            yield f"{place}.requestBody", f"must be {JSON}, and nothing else"
        yield from _component_and_example(f"{place}.requestBody", mapping(content.get(JSON)))


def _statuses(
    document: Json, place: str, operation: Json, listed: list[Json]
) -> Iterator[tuple[str, str]]:
    statuses = list(operation["responses"])
    good = [status for status in statuses if status == "101" or status.startswith("2")]
    if len(good) != 1 and not _has_dry_run(document, operation, good):
        yield place, f"must list exactly one success, not {good}"
    for status, why in _expected(listed):
        if status not in statuses:
            yield place, f"does not list {status}: {why}"


def _has_dry_run(document: Json, operation: Json, good: list[str]) -> bool:
    """Whether it answers 200 in place of 202 when its body says `dry_run`, with the same component.

    So generated clients have one type for both.
    """
    if sorted(good) != ["200", "202"]:
        return False
    body = _json_schema(mapping(operation.get("requestBody")))
    dry_run = mapping(mapping(resolve(document, body).get("properties")).get("dry_run"))
    answers = [
        component_name(_json_schema(resolve(document, operation["responses"][status])))
        for status in good
    ]
    return dry_run.get("type") == "boolean" and answers[0] == answers[1]


def _json_schema(node: Json) -> Json:
    return mapping(mapping(mapping(node.get("content")).get(JSON)).get("schema"))


def _answer(document: Json, where: str, status: str, response: Json) -> Iterator[tuple[str, str]]:
    content = mapping(response.get("content"))
    if not re.fullmatch(r"[1-5][0-9]{2}", status):
        yield where, "is no status"
    if not response.get("description"):
        yield where, "has no description"
    if status.startswith(("4", "5")):
        yield from _problem(document, where, status, response)
    elif status in ("101", "304"):
        if content:
            yield where, "has no body, so it must have no content"
    elif not content or set(content) - {JSON, *TEXTS}:
        yield where, f"must be {JSON}, or one of {', '.join(TEXTS)}"
    else:
        for media_type, each in content.items():
            if media_type == JSON:
                yield from _component_and_example(where, mapping(each))
            else:
                yield from _text(where, mapping(each))


def _expected(listed: list[Json]) -> Iterator[tuple[str, str]]:
    yield "403", "the request may come from a foreign page or host"
    yield "422", "every operation refuses what it does not know"
    yield "500", "every operation can meet a fault of the server"
    if any(each.get("in") == "path" for each in listed):
        yield "404", "what the path names may not exist"
    if any(each.get("in") == "query" and each.get("name") == "cursor" for each in listed):
        yield "400", "the cursor may be none of this list's"


def _problem(document: Json, where: str, status: str, response: Json) -> Iterator[tuple[str, str]]:
    content = mapping(response.get("content"))
    if list(content) != [PROBLEM_JSON]:
        yield where, f"must be {PROBLEM_JSON}, and nothing else"
    elif component_name(mapping(content[PROBLEM_JSON]).get("schema")) != "Problem":
        yield where, "must be a Problem"
    else:
        yield from _component_and_example(where, mapping(content[PROBLEM_JSON]))
    retry = resolve(document, mapping(response.get("headers")).get("Retry-After"))
    if status in {"429", "503"} and retry.get("required") is not True:
        yield where, "must have the header Retry-After, required"


def _text(where: str, content: Json) -> Iterator[tuple[str, str]]:
    schema = mapping(content.get("schema"))
    lines = schema.get("contentSchema")
    if schema.get("type") != "string":
        yield where, "a text must have a schema of the type string"
    if lines is not None and component_name(lines) is None:
        yield where, "the contentSchema of its lines must be a reference to a component"
    if "example" not in content:
        yield where, "has no example"


def _component_and_example(where: str, content: Json) -> Iterator[tuple[str, str]]:
    if component_name(content.get("schema")) is None:
        yield where, "its schema must be a reference to a component"
    if not content.get("examples") and "example" not in content:
        yield where, "has no example"
