"""Every response against the contract: status, headers, media type, body.

Imports aura_aio.contract and `json_schema` only; the fixtures that serve call it unconditionally.
"""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NoReturn

from jsonschema_rs import Draft202012Validator as Validator

from aura_aio.contract.document import Answer, Contract, Operation
from tests.contract.json_schema import Schemas, closed, faults

PROBLEM_JSON = "application/problem+json"


class NotInContract(AssertionError):
    """A response that the contract does not allow."""


def check_response(
    contract: Contract,
    method: str,
    where: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
) -> None:
    """Pass only a response that `contract` declares.

    `where` is an operationId, a path template, or the raw path of the request without its query
    (`%2F` not decoded). For a path or method that the contract does not have, only the router's
    answers pass. `headers` must find names in any case, as the mappings of aiohttp do. Answers are
    checked more strictly than clients may: properties must be declared.

    Raises:
        NotInContract: it differs; the message says where and how.
    """
    operation = find_operation(contract, method, where)
    if operation is None:
        _check_router(contract, method, where, status, headers, body)
        return
    place = f"{operation.operation_id} ({method} {where}) answered {status}"
    answer = next((each for each in operation.answers if each.status == status), None)
    if answer is None:
        _fail(place, [f"declared are {operation.statuses} only"], body)
    _fail_if(place, _header_faults(contract, answer, headers), body)
    if method != "HEAD":
        _check_body(contract, place, answer, headers, body)


def find_operation(contract: Contract, method: str, where: str) -> Operation | None:
    """The operation of this id, template or raw path, or None; HEAD is answered as GET is."""
    wanted = "GET" if method == "HEAD" else method
    for operation in contract.operations:
        if where == operation.operation_id:
            return operation
    same = [each for each in contract.operations if each.method == wanted]
    for operation in same:
        if where == operation.path:
            return operation
    return next((each for each in same if _pattern(each.path).fullmatch(where)), None)


def _check_router(
    contract: Contract,
    method: str,
    where: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
) -> None:
    place = f"{method} {where} is no operation, and answered {status}"
    known = sorted(
        each.method
        for each in contract.operations
        if where in (each.path, each.operation_id) or _pattern(each.path).fullmatch(where)
    )
    expected = 404 if not known else 204 if method == "OPTIONS" else 405
    if status not in (403, expected):
        _fail(place, [f"it should be {expected}"], body)
    if status in (204, 405):
        allowed = {word.strip() for word in headers.get("Allow", "").split(",")}
        if not set(known) <= allowed:
            _fail(place, [f"Allow is {sorted(allowed)}, but there is {known}"], body)
    if status == 204:
        _fail_if(place, ["it must have no body"] if body else [], body)
        return
    problem = Answer(status=status, media_type=PROBLEM_JSON, component="Problem", headers={})
    if method != "HEAD":
        _check_body(contract, place, problem, headers, body)


def _header_faults(contract: Contract, answer: Answer, headers: Mapping[str, str]) -> Iterable[str]:
    for name, (required, schema) in answer.headers.items():
        text = headers.get(name)
        if text is None:
            if required:
                yield f"the header {name} is missing"
            continue
        value = _from_text(text, schema.get("type"))
        for fault in faults(_header_validator(contract, json.dumps(dict(schema))), value):
            yield f"header {name}: {fault}"


def _check_body(
    contract: Contract, place: str, answer: Answer, headers: Mapping[str, str], body: bytes
) -> None:
    media_type, _, parameter = headers.get("Content-Type", "none").partition(";")
    if media_type in answer.texts:
        _check_lines(contract, place, answer.texts[media_type], body)
        return
    if answer.media_type is None or answer.component is None:
        if body:
            _fail(place, ["it must have no body"], body)
        return
    if media_type.strip() != answer.media_type:
        _fail(place, [f"Content-Type is {media_type!r}, not {answer.media_type!r}"], body)
    if parameter.strip().lower() not in ("", "charset=utf-8"):
        _fail(place, [f"Content-Type has {parameter!r}; JSON is always UTF-8"], body)
    value = _value(place, body)
    _fail_if(place, faults(_validator(contract, answer.component), value), body)
    if answer.component == "Problem" and value["status"] != answer.status:
        _fail(place, [f"the problem's status is {value['status']}"], body)


def _check_lines(contract: Contract, place: str, component: str | None, body: bytes) -> None:
    """Each line of a text, if it is said what they are; of events, each line of data."""
    if component is None:
        return
    for line in body.splitlines():
        data = line.removeprefix(b"data: ")
        if data.startswith(b"{"):
            _fail_if(place, faults(_validator(contract, component), _value(place, data)), data)


def _value(place: str, text: bytes) -> Any:
    try:
        return json.loads(
            text.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_once_each
        )
    except ValueError as error:
        _fail(place, [f"it is not JSON: {error}"], text)


@cache
def _schemas(contract: Contract) -> Schemas:
    return Schemas(closed(contract.as_dict()))


@cache
def _validator(contract: Contract, component: str) -> Validator:
    return _schemas(contract).component(component)


@cache
def _header_validator(contract: Contract, schema: str) -> Validator:
    return _schemas(contract).validator(json.loads(schema))


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", template)
    return re.compile("[^/]+".join(re.escape(part) for part in parts))


def _from_text(text: str, kind: object) -> Any:
    """The value that a header's text stands for; the text itself when it stands for none."""
    if kind == "integer" and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a property stands there twice")
    return found


def _fail_if(place: str, found: Iterable[str], body: bytes) -> None:
    listed = list(found)
    if listed:
        _fail(place, listed, body)


def _fail(place: str, found: list[str], body: bytes) -> NoReturn:
    lines = "\n".join(f"  {fault}" for fault in found)
    text = body[:2000].decode("utf-8", "backslashreplace")
    raise NotInContract(f"{place}, which is not in the contract:\n{lines}\nbody: {text}")
