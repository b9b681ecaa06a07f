"""The contract as the server sees it: operations, components, and the bytes to serve.

May import the standard library, msgspec, the rest of `contract` and `model` only.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from aura_aio.contract import references
from aura_aio.contract.checked import COMPILED, checked
from aura_aio.contract.checks import TEXTS
from aura_aio.contract.deprecation import Deprecation, deprecation_of
from aura_aio.contract.openapi30 import downgrade
from aura_aio.contract.references import Json
from aura_aio.contract.security_checks import NARROWED, TICKET, TOKEN
from aura_aio.model.access import Scope
from aura_aio.model.errors import ContractError

FILE_NAME = "openapi.yaml"


class Location(StrEnum):
    """Where a parameter travels."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"


class Parameter(msgspec.Struct, frozen=True):
    """A parameter; `schema` is as in the document, read-only."""

    name: str
    location: Location
    required: bool
    schema: Json


class Answer(msgspec.Struct, frozen=True):
    """One status that an operation can answer.

    `component` and `media_type` are those of its JSON body, None when it has none (101, or a text
    alone). `headers` holds the declared headers by name: whether each is always there, and its
    schema. `texts` are the media types in which it comes as text, each with the component of which
    every line is one, if there is one.
    """

    status: int
    media_type: str | None
    component: str | None
    headers: Mapping[str, tuple[bool, Json]]
    texts: Mapping[str, str | None] = MappingProxyType({})


class Operation(msgspec.Struct, frozen=True):
    """One operation; `path` is the template (`/api/runs/{cid}`), `method` in capitals.

    `body` is the component of the request body, None without one. `scope` is None for what never
    needs a token; `takes_ticket`: a ticket will do. `narrowed`: it holds a token that is narrowed
    to plans to them by itself. `deprecation` is None for what stays. Parameters and answers are in
    the order of the document.
    """

    operation_id: str
    method: str
    path: str
    tag: str
    scope: Scope | None
    takes_ticket: bool
    narrowed: bool
    path_parameters: tuple[Parameter, ...]
    query_parameters: tuple[Parameter, ...]
    header_parameters: tuple[Parameter, ...]
    body: str | None
    body_required: bool
    deprecation: Deprecation | None
    answers: tuple[Answer, ...]

    @property
    def handler_name(self) -> str:
        """The name of its handler, and of all that it calls: `runTask` is `run_task`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", self.operation_id).lower()

    @property
    def class_name(self) -> str:
        """What the names of its own schemas begin with: `runTask` is `RunTask`."""
        return self.operation_id[:1].upper() + self.operation_id[1:]

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status that it can answer."""
        return tuple(answer.status for answer in self.answers)

    @property
    def success(self) -> Answer:
        """Its answer when all is well: the one 2xx, or 101; of an operation that answers 200 when
        it is only asked what it would do, the other.
        """
        good = (answer for answer in self.answers if answer.status < 300)
        return max(good, key=lambda answer: answer.status)


class Contract(msgspec.Struct, frozen=True, eq=False):
    """The whole contract, immutable.

    `operations` are in the order of the document, `components` the schemas by name, read-only.
    `yaml` and `json` are the document's texts.
    """

    version: str
    operations: tuple[Operation, ...]
    components: Mapping[str, Json]
    yaml: bytes
    json: bytes

    def operation(self, operation_id: str) -> Operation:
        """The operation of this id.

        Raises:
            ContractError: there is none.
        """
        for operation in self.operations:
            if operation.operation_id == operation_id:
                return operation
        raise ContractError(f"The contract has no operation {operation_id!r}.")

    def as_yaml(self) -> bytes:
        """The document as it was written, comments included."""
        return self.yaml

    def as_json(self) -> bytes:
        """The document as JSON."""
        return self.json

    def as_openapi30(self) -> bytes:
        """The document as JSON in OpenAPI 3.0.3, for tools that know nothing newer."""
        return msgspec.json.encode(downgrade(self.as_dict()))

    def as_dict(self) -> dict[str, Any]:
        """The document as a new tree that the caller may change."""
        document: dict[str, Any] = msgspec.json.decode(self.json)
        return document


def load_contract(path: Path | None = None) -> Contract:
    """Read the contract, check it, and make the view of it.

    Without a `path` it is the one beside this module, where the wheel has it, or else the one at
    the root of the repository.

    Raises:
        ContractError: it can not be found or read, or breaks a rule; all faults are listed.
    """
    source, text = _read(path)
    return _viewed(source, text, COMPILED if path is None else None)


@lru_cache(maxsize=1)
def _viewed(source: str, text: bytes, keep_in: Path | None) -> Contract:
    """Remembered, since a process may run more than one server."""
    return view(checked(text, source, keep_in), text)


def view(document: Json, text: bytes) -> Contract:
    """The view of a `document` that has passed the checks, which was read from `text`."""
    return Contract(
        version=document["info"]["version"],
        operations=tuple(
            _operation(document, path, method, item, operation)
            for path, method, item, operation in references.operations(document)
        ),
        components=_frozen(document["components"]["schemas"]),
        yaml=text,
        json=msgspec.json.encode(document),
    )


def _read(path: Path | None) -> tuple[str, bytes]:
    packed = resources.files("aura_aio.contract").joinpath(FILE_NAME)
    root = Path(__file__).resolve().parents[2] / FILE_NAME
    if path is not None:
        places: tuple[Any, ...] = (path,)
    else:
        places = (packed, root)
    for place in places:
        if place.is_file():
            return str(place.name), place.read_bytes()
    tried = " nor ".join(str(place) for place in places)
    raise ContractError(
        f"The contract is neither at {tried}: the installation is incomplete."
        if path is None
        else f"There is no contract at {tried}."
    )


def _operation(document: Json, path: str, method: str, item: Json, operation: Json) -> Operation:
    parameters = [
        Parameter(
            name=each["name"],
            location=Location(each["in"]),
            required=each.get("required", False),
            schema=_frozen(each["schema"]),
        )
        for each in references.parameters(document, item, operation)
    ]
    security = {
        scheme: scopes for each in operation.get("security", ()) for scheme, scopes in each.items()
    }
    body = operation.get("requestBody")
    return Operation(
        operation_id=operation["operationId"],
        method=method.upper(),
        path=path,
        tag=operation["tags"][0],
        scope=Scope(security[TOKEN][0]) if TOKEN in security else None,
        takes_ticket=TICKET in security,
        narrowed=operation.get(NARROWED, False),
        path_parameters=tuple(p for p in parameters if p.location is Location.PATH),
        query_parameters=tuple(p for p in parameters if p.location is Location.QUERY),
        header_parameters=tuple(p for p in parameters if p.location is Location.HEADER),
        body=_content(body)[1] if body is not None else None,
        body_required=body.get("required", False) if body is not None else False,
        deprecation=deprecation_of(operation),
        answers=tuple(
            _answer(document, status, response)
            for status, response in operation["responses"].items()
        ),
    )


def _answer(document: Json, status: str, response: Json) -> Answer:
    node = references.resolve(document, response)
    media_type, component = _content(node)
    headers = {}
    for name, header in references.mapping(node.get("headers")).items():
        declared = references.resolve(document, header)
        headers[name] = (declared.get("required", False), _frozen(declared["schema"]))
    return Answer(
        status=int(status),
        media_type=media_type,
        component=component,
        headers=MappingProxyType(headers),
        texts=MappingProxyType(
            {
                media_type: references.component_name(content["schema"].get("contentSchema"))
                for media_type, content in references.mapping(node.get("content")).items()
                if media_type in TEXTS
            }
        ),
    )


def _content(node: Json) -> tuple[str | None, str | None]:
    """The JSON that a body holds: its media type, and the component that it is."""
    for media_type, content in references.mapping(node.get("content")).items():
        if media_type not in TEXTS:
            return media_type, references.component_name(content.get("schema"))
    return None, None


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return MappingProxyType({key: _frozen(below) for key, below in value.items()})
    if isinstance(value, list):
        return tuple(_frozen(below) for below in value)
    return value
