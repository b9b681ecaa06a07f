"""Schemas compiled: what is certainly good is read and checked in one pass, in C.

May import marshmallow, msgspec, `schemas` and model.

A schema of marshmallow costs some 100 µs for a small body, and most bodies are good. So each schema
is compiled, once, to a type of msgspec that lets nothing pass that marshmallow would not let pass,
with the same outcome (a test tries that). It says nothing of the rest: whatever it does not let
pass is marshmallow's to judge, and to word. See docs/decisions/0051-good-requests-pass-quickly.md.
"""

from collections.abc import Callable, Mapping
from types import GenericAlias
from typing import Annotated, Any, Final, Literal

import msgspec
from marshmallow import RAISE, Schema, ValidationError, missing
from marshmallow.fields import Field
from marshmallow.validate import Length, Range, Validator
from msgspec import UNSET, Meta, UnsetType

from aura_aio.api.schemas import fields
from aura_aio.api.schemas.bases import ExclusiveSchema
from aura_aio.model import json

Loaded = dict[str, Any]

_PLACE: Final = "field_{}"
"""The names within a struct: those of the wire may be words of Python."""


class Compiled:
    """One schema. What it answers is what `Schema.load` would; None says: ask that."""

    def __init__(self, schema: Schema) -> None:
        loaded = schema.load_fields
        kinds = {name: _kind(field) for name, field in loaded.items()}
        self._names = tuple(loaded)
        self._left = tuple((name, loaded[name]) for name, kind in kinds.items() if kind is None)
        """Fields that marshmallow judges also here, each by itself, where they are given."""
        self._absent = tuple(
            (name, field.load_default)
            for name, field in loaded.items()
            if field.load_default is not missing
        )
        self._excluded = schema.excluded if isinstance(schema, ExclusiveSchema) else ()
        self._type = msgspec.defstruct(
            type(schema).__name__,
            [_member(each, loaded[name], kinds[name]) for each, name in enumerate(self._names)],
            rename={
                _PLACE.format(each): loaded[name].data_key or name
                for each, name in enumerate(self._names)
            },
            forbid_unknown_fields=schema.unknown == RAISE,
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
        """What was given, with what marshmallow makes of it and the defaults beside it."""
        if self._excluded and all(name in given for name in self._excluded):
            return None
        try:
            for name, field in self._left:
                if name in given:
                    given[name] = field.deserialize(given[name])
        except ValidationError:
            return None
        for name, default in self._absent:
            if name not in given:
                given[name] = default() if callable(default) else default
        return given


def _member(number: int, field: Field[Any], kind: Any) -> tuple[Any, ...]:
    name, kind = _PLACE.format(number), Any if kind is None else kind
    return (name, kind) if field.required else (name, kind | UnsetType, UNSET)


def _kind(field: Field[Any]) -> Any:
    """The type that lets pass what `field` does, None if there is none that is known here."""
    for known, kind_of in _KINDS.items():
        if isinstance(field, known) and type(field)._deserialize is known._deserialize:
            return kind_of(field) if field.allow_none is (known is fields.Anything) else None
    return None


def _word(field: fields.Word) -> Any:
    return Literal[tuple(map(str, field.words))]


def _text(field: fields.Text) -> Any:
    return _bounded(str, field)


def _number(kind: type) -> Callable[[Any], Any]:
    return lambda field: _bounded(kind, field)


def _flag(_: fields.Flag) -> Any:
    return bool


def _items(field: fields.Items) -> Any:
    inner = _kind(field.inner)
    return None if inner is None else _bounded(GenericAlias(list, (inner,)), field)


def _items_judged_later(field: fields.ItemsJudgedLater) -> Any:
    return _bounded(list[Any], field)


def _objects(field: fields.Objects) -> Any:
    keys = str if field.key_field is None else _kind(field.key_field)
    values = Any if field.value_field is None else _kind(field.value_field)
    return (
        None
        if keys is None or values is None
        else _bounded(GenericAlias(dict, (keys, values)), field)
    )


def _anything(_: fields.Anything) -> Any:
    return Any


_KINDS: Final[Mapping[type[Field[Any]], Callable[[Any], Any]]] = {
    fields.Word: _word,
    fields.Text: _text,
    fields.Int32: _number(int),
    fields.Int64: _number(int),
    fields.Double: _number(float),
    fields.Flag: _flag,
    fields.ItemsJudgedLater: _items_judged_later,
    fields.Items: _items,
    fields.Objects: _objects,
    fields.Anything: _anything,
}
"""Special ones before those that they are made from. A field with a `_deserialize` of its own is
none of them."""


def _bounded(kind: Any, field: Field[Any]) -> Any:
    """`kind` within what the validators of `field` allow, None if one of them is not known here."""
    bounds: dict[str, Any] = {}
    for validator in field.validators:
        found = _bounds(validator)
        if found is None:
            return None
        bounds |= found
    told = {name: bound for name, bound in bounds.items() if bound is not None}
    return Annotated[kind, Meta(**told)] if told else kind


def _bounds(validator: Callable[[Any], Any] | Validator) -> dict[str, Any] | None:
    match validator:
        case Length(min=least, max=most, equal=None):
            return {"min_length": least, "max_length": most}
        case Range(min=least, max=most, min_inclusive=True, max_inclusive=True):
            return {"ge": least, "le": most}
        case fields.Matches(whole=pattern):
            return {"pattern": rf"\A(?:{pattern})"}
        case fields.MostProperties(most=most):
            return {"max_length": most}
        case _:
            return None
