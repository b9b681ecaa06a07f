"""What the contract lets a request say, compiled: what is certainly good is read in one pass, in C.

May import msgspec, contract, `moments` and model.

A schema of marshmallow costs some 100 µs for a small body, and most bodies are good. So each
component of a body, and the parameters of each path and of the headers, are compiled, once, to a
type of msgspec that lets nothing pass that the marshmallow mirror would not let pass, with the same
outcome (a test tries that). It says nothing of the rest: whatever it does not let pass is
marshmallow's to judge, and to word. See docs/decisions/0051-good-requests-pass-quickly.md.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import GenericAlias
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from aura_aio.api.moments import moment_of
from aura_aio.contract.document import Parameter
from aura_aio.contract.references import Json, component_name
from aura_aio.contract.schema_checks import CHANGES, PER_ITEM
from aura_aio.model import json

Loaded = dict[str, Any]

_PLACE: Final = "field_{}"
"""The names within a struct: those of the wire may be words of Python."""
_BOUNDS: Final = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "maxProperties": "max_length",
    "minimum": "ge",
    "maximum": "le",
}
_SIMPLE: Final = {"string": str, "integer": int, "number": float, "boolean": bool}


class _Unknown(Exception):
    """There is no type for a schema here."""


class _Member(NamedTuple):
    """One property or parameter: its name on the wire, and that under which it is loaded."""

    wire_name: str
    name: str
    schema: Json
    required: bool
    default: Any = UNSET


class Compiled:
    """One object. What it answers is what marshmallow's `Schema.load` would; None says: ask that.

    Of the names in `excluded` not all may be there.
    """

    def __init__(
        self,
        members: Iterable[_Member],
        components: Mapping[str, Json],
        *,
        is_strict: bool,
        excluded: tuple[str, ...] = (),
    ) -> None:
        members = tuple(members)
        self._names = tuple(each.name for each in members)
        self._absent = tuple(
            (each.name, each.default) for each in members if each.default is not UNSET
        )
        self._excluded = excluded
        self._moments, self._unknown = [], []
        fields = []
        for place, each in enumerate(members):
            kind: Any = Any
            schema = followed(each.schema, components)
            if schema.get("format") == "date-time":
                self._moments.append(each.name)
            else:
                try:
                    kind = _kind(schema, components)
                except _Unknown:
                    self._unknown.append(each.name)
            name = _PLACE.format(place)
            fields.append((name, kind) if each.required else (name, kind | UnsetType, UNSET))
        self._type = msgspec.defstruct(
            "Compiled",
            fields,
            rename={_PLACE.format(place): each.wire_name for place, each in enumerate(members)},
            forbid_unknown_fields=is_strict,
            kw_only=True,
        )
        self._decoder = msgspec.json.Decoder(self._type)

    def decode(self, text: bytes) -> Loaded | None:
        """The JSON text of an object, loaded, if no object in it has a name twice."""
        try:
            found = self._decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        given = self._given(found)
        return self._complete(given) if json.has_each_name_once(text, given) else None

    def convert(self, values: Mapping[str, Any]) -> Loaded | None:
        """The same of values that are there already."""
        try:
            return self._complete(self._given(msgspec.convert(values, self._type)))
        except msgspec.ValidationError:
            return None

    def _given(self, found: msgspec.Struct) -> Loaded:
        values = zip(self._names, msgspec.structs.astuple(found), strict=True)
        return {name: value for name, value in values if value is not UNSET}

    def _complete(self, given: Loaded) -> Loaded | None:
        """What was given, with the times read, and the defaults beside it."""
        if self._excluded and all(name in given for name in self._excluded):
            return None
        if any(name in given for name in self._unknown):
            return None
        for name in self._moments:
            if name in given:
                moment: datetime | None = moment_of(given[name])
                if moment is None:
                    return None
                given[name] = moment
        for name, default in self._absent:
            if name not in given:
                given[name] = default.copy() if isinstance(default, dict) else default
        return given


def compiled_body(components: Mapping[str, Json], name: str) -> Compiled:
    """The component `name`, which is the body of a request."""
    schema = components[name]
    required = schema.get("required", ())
    takes_defaults = not schema.get(CHANGES)
    return Compiled(
        (
            _Member(
                wire_name=each,
                name=each,
                schema=below,
                required=each in required,
                default=_default(below, components, is_request=takes_defaults)
                if each not in required
                else UNSET,
            )
            for each, below in schema["properties"].items()
        ),
        components,
        is_strict=schema.get("additionalProperties") is False,
        excluded=tuple(schema.get("not", {}).get("required", ())),
    )


def compiled_parameters(
    parameters: Iterable[Parameter], components: Mapping[str, Json], *, is_strict: bool
) -> Compiled:
    """The parameters of a path, or of a query once they are read, or headers."""
    return Compiled(
        (
            _Member(
                wire_name=each.name,
                name=each.name.lower().replace("-", "_"),  # as an argument of Python
                schema=each.schema,
                required=each.required,
                default=UNSET
                if each.required
                else _default(each.schema, components, is_request=False),
            )
            for each in parameters
        ),
        components,
        is_strict=is_strict,
    )


def _default(schema: Json, components: Mapping[str, Json], *, is_request: bool) -> Any:
    """That beside a property, or in its component; a map in a request that is absent is empty."""
    target = followed(schema, components)
    for holder in (schema, target):
        if "default" in holder:
            return holder["default"]
    is_map = target is not schema and _is_map(target)
    return {} if is_map and is_request else UNSET


def _is_map(schema: Json) -> bool:
    return schema.get("type") == "object" and "properties" not in schema


def followed(schema: Json, components: Mapping[str, Json]) -> Json:
    """`schema`, or the component that it refers to."""
    name = component_name(schema)
    return schema if name is None else components[name]


def _kind(schema: Json, components: Mapping[str, Json]) -> Any:
    """The type that lets pass what `schema` does.

    Raises:
        _Unknown: there is none.
    """
    schema = followed(schema, components)
    match schema:
        case {"enum": words}:
            return Literal[tuple(words)]
        case {"format": "date-time"}:
            raise _Unknown
        case {"type": "array"} if schema.get(PER_ITEM):
            return _bounded(list[Any], schema)
        case {"type": "array"}:
            return _bounded(GenericAlias(list, (_kind(schema["items"], components),)), schema)
        case {"type": "object"}:
            return _bounded(_map(schema, components), schema)
        case {"type": name}:
            return _bounded(_SIMPLE[name], schema)
        case _:
            return Any


def _map(schema: Json, components: Mapping[str, Json]) -> Any:
    if not _is_map(schema):
        raise _Unknown
    names, values = schema.get("propertyNames"), schema.get("additionalProperties")
    keys = str if names is None else _bounded(str, names)
    kind = _kind(values, components) if isinstance(values, Mapping) else Any
    return GenericAlias(dict, (keys, kind))


def _bounded(kind: Any, schema: Json) -> Any:
    bounds = {name: schema[word] for word, name in _BOUNDS.items() if word in schema}
    if "pattern" in schema:
        # `$` is the end, as JSON Schema has it: Python's lets a line feed follow.
        whole = schema["pattern"].removesuffix("$") + r"\Z" * schema["pattern"].endswith("$")
        bounds["pattern"] = rf"\A(?:{whole})"
    return Annotated[kind, Meta(**bounds)] if bounds else kind
