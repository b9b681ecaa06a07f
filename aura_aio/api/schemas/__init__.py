"""The marshmallow mirror of the contract: a module a tag, and the rule by which each is found.

May import marshmallow, webargs, contract and model only.

A component that is an object with properties is mirrored by a schema (`RunAccepted` by
`RunAcceptedSchema`), any other, a word or a text or a free JSON value, by a field (`RunStatus` by
`RunStatusField`). The parameters of the operation `listRuns` are `ListRunsPathSchema`,
`ListRunsQuerySchema` and `ListRunsHeadersSchema`, each where it has such. So a route is bound by
the names in the document alone, and there is no table to forget.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Any, Final

from marshmallow import Schema
from marshmallow.fields import Field

from aura_aio.api.schemas import (
    auth,
    common,
    health,
    logs,
    plans,
    queue,
    runs,
    schedules,
    system,
    tasks,
)
from aura_aio.api.schemas.bases import NoQuerySchema
from aura_aio.contract.document import Operation
from aura_aio.model.errors import ContractError

MODULES: Final = (common, system, plans, runs, tasks, queue, schedules, logs, auth, health)


def _defined(kind: type[Any]) -> Iterator[tuple[str, type[Any]]]:
    """The classes of this kind that the modules define, without those that they import."""
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, kind) and _is_of(value, module):
                yield name, value


def _is_of(value: type[Any], module: ModuleType) -> bool:
    return value.__module__ == module.__name__


SCHEMAS: Final[Mapping[str, Schema]] = MappingProxyType(
    {name: schema() for name, schema in _defined(Schema)}
)
"""Every schema by the name of its class, made once: a schema has no state of a request."""

FIELDS: Final[Mapping[str, type[Field[Any]]]] = MappingProxyType(dict(_defined(Field)))
"""Every field that mirrors a component, by the name of its class."""

_NO_QUERY: Final = NoQuerySchema()


def component_schema(component_name: str) -> Schema:
    """The schema of a component that is an object.

    Raises:
        ContractError: there is no class of that name.
    """
    return _schema(f"{component_name}Schema")


def path_schema_of(operation: Operation) -> Schema | None:
    """The schema of the parameters in the path, None for a path without.

    Raises:
        ContractError: there is no class of that name.
    """
    return _schema(f"{operation.class_name}PathSchema") if operation.path_parameters else None


def query_schema_of(operation: Operation) -> Schema:
    """The schema of the query; one that refuses every parameter for an operation that has none.

    Raises:
        ContractError: there is no class of that name.
    """
    if not operation.query_parameters:
        return _NO_QUERY
    return _schema(f"{operation.class_name}QuerySchema")


def headers_schema_of(operation: Operation) -> Schema | None:
    """The schema of the headers that the operation reads, None when it reads none.

    Raises:
        ContractError: there is no class of that name.
    """
    return _schema(f"{operation.class_name}HeadersSchema") if operation.header_parameters else None


def body_schema_of(operation: Operation) -> Schema | None:
    """The schema of the body, None when the operation takes none.

    Raises:
        ContractError: there is no class of that name.
    """
    return component_schema(operation.body) if operation.body is not None else None


def _schema(class_name: str) -> Schema:
    try:
        return SCHEMAS[class_name]
    except KeyError:
        raise ContractError(
            f"The contract needs {class_name}, which no module of aura_aio.api.schemas defines."
        ) from None
