"""Turns plain data into what an annotation asks for: `"3"` into 3, a mapping into a dataclass.

May import msgspec, model.errors and the standard library.
"""

import dataclasses
import enum
import functools
import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Annotated, Any, Final, NotRequired, Required, Union

import msgspec
from msgspec.inspect import CustomType, Field, Type, type_info

from aura_aio.model.suggestions import did_you_mean

_PLACE: Final = re.compile(r"(.*) - at `\$([^` ]*)`\Z", re.DOTALL)
_UNIONS: Final = (Union, types.UnionType)
_WRAPPERS: Final = (Annotated, Required, NotRequired)


class Misfit(Exception):
    """A value is not what its annotation asks for; `place` is where in it, such as `[0].id`."""

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.place = place


def is_convertible(hint: Any) -> bool:
    """Whether values can be checked against this annotation.

    They cannot where it names something that is not there at run time, an interface (`Callable`, a
    Protocol), or what msgspec does not know.
    """
    try:
        if _has_interface(type_info(hint), seen=set()):
            return False
        msgspec.convert(None, hint, dec_hook=_instance)
    except msgspec.ValidationError:
        return True
    except Exception:  # what stands in an annotation is a plan's code
        return False
    return True


def bare(hint: Any) -> Any:
    """What an annotation is about, without `Annotated` and the like, and without `| None`."""
    while True:
        origin = typing.get_origin(hint)
        if origin in _WRAPPERS:
            hint = typing.get_args(hint)[0]
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif origin in _UNIONS:
            kinds = [kind for kind in typing.get_args(hint) if kind is not types.NoneType]
            if len(kinds) != 1:
                return hint
            (hint,) = kinds
        else:
            return hint


def convert(value: Any, hint: Any) -> Any:
    """`value`, plain data, as `hint` asks for it; `is_convertible(hint)` must be true.

    Where a number or a truth is asked for, text is read as one, and a number is written where text
    is asked for. Times are RFC 3339; durations are ISO 8601, or seconds.

    Raises:
        Misfit: it does not fit.
    """
    prepared = _prepared(value, hint, "")
    try:
        return msgspec.convert(prepared, hint, strict=False, str_keys=True, dec_hook=_instance)
    except msgspec.ValidationError as error:
        found = _PLACE.match(str(error))
        raise (Misfit(found[1], found[2]) if found else Misfit(str(error))) from error


def _has_interface(node: Type | Field, seen: set[int]) -> bool:
    if id(node) in seen:
        return False
    seen.add(id(node))
    if isinstance(node, CustomType):
        return inspect.isabstract(node.cls) or getattr(node.cls, "_is_protocol", False)
    return any(_has_interface(part, seen) for part in _parts(node))


def _parts(node: Type | Field) -> Iterator[Type | Field]:
    for name in node.__struct_fields__:
        found = getattr(node, name)
        for part in found if isinstance(found, tuple) else (found,):
            if isinstance(part, (Type, Field)):
                yield part


def _prepared(value: Any, hint: Any, place: str) -> Any:
    """`value` with what msgspec would refuse or pass over, though it is clear what is meant: a
    number for a text, the name of an enum's member, keys that a class does not have.
    """
    hint = _meant(bare(hint), value)
    if isinstance(value, list):
        return _prepared_list(value, hint, place)
    if isinstance(value, dict):
        return _prepared_dict(value, hint, place)
    if hint is str and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and isinstance(hint, enum.EnumMeta):
        members: Mapping[str, enum.Enum] = hint.__members__
        if value in members and value not in {each.value for each in members.values()}:
            return members[value].value
    return value


def _meant(hint: Any, value: Any) -> Any:
    """The one choice of a union that can take a list or a mapping, if `value` is one."""
    if typing.get_origin(hint) not in _UNIONS or not isinstance(value, (list, dict)):
        return hint
    wanted = (dict, Mapping) if isinstance(value, dict) else (list, tuple, set, frozenset, Sequence)
    choices = [bare(choice) for choice in typing.get_args(hint)]
    takers = [
        choice
        for choice in choices
        if typing.get_origin(choice) in wanted or (isinstance(value, dict) and _fields(choice))
    ]
    return takers[0] if len(takers) == 1 else hint


def _prepared_list(values: list[Any], hint: Any, place: str) -> list[Any]:
    of = typing.get_args(hint)
    if not of and (fields := _fields(hint)):  # a NamedTuple
        of = tuple(fields.values())
    if len(of) == 1 or of[1:] == (Ellipsis,):
        return [_prepared(each, of[0], f"{place}[{index}]") for index, each in enumerate(values)]
    hints = (*of, *[Any] * len(values))
    return [_prepared(each, hints[index], f"{place}[{index}]") for index, each in enumerate(values)]


def _prepared_dict(values: dict[Any, Any], hint: Any, place: str) -> Any:
    fields = _fields(hint)
    if fields is None:
        of = typing.get_args(hint)
        each_hint = of[1] if len(of) == 2 else Any
        return {key: _prepared(each, each_hint, f"{place}.{key}") for key, each in values.items()}
    if not issubclass(hint, msgspec.Struct):  # which says itself whether it takes more
        for key in values.keys() - fields.keys():
            raise Misfit(f"There is no field {key!r}.{did_you_mean(str(key), fields)}", place)
    prepared = {
        key: _prepared(each, fields.get(key, Any), f"{place}.{key}") for key, each in values.items()
    }
    if not issubclass(hint, tuple):
        return prepared
    given = hint._field_defaults | prepared
    for key in fields.keys() - given.keys():
        raise Misfit(f"Object missing required field `{key}`", place)
    return [given[key] for key in fields]


def _fields(hint: Any) -> dict[str, Any] | None:
    """The fields of a class that a mapping can be turned into, with their annotations."""
    return _fields_of(hint) if isinstance(hint, type) else None


@functools.lru_cache(maxsize=256)
def _fields_of(kind: type) -> dict[str, Any] | None:
    if issubclass(kind, msgspec.Struct):
        return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    if typing.is_typeddict(kind) or (issubclass(kind, tuple) and hasattr(kind, "_fields")):
        return typing.get_type_hints(kind, include_extras=True)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind, include_extras=True)
        return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.init}
    return None


def _instance(kind: Any, value: Any) -> Any:
    """An instance of a class that msgspec does not know."""
    kind = typing.get_origin(kind) or kind
    if isinstance(value, kind):
        return value
    if issubclass(kind, PurePath) and isinstance(value, str):
        return kind(value)
    if hasattr(kind, "model_validate"):  # a model of pydantic
        return kind.model_validate(value)
    raise msgspec.ValidationError(f"Expected `{kind.__name__}`, got `{type(value).__name__}`")
