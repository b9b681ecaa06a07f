"""Turns plain data into what an annotation asks for: `"3"` into 3, a mapping into a dataclass.

May import msgspec, model.suggestions and the standard library.
"""

import dataclasses
import enum
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Annotated, Any, Final, NotRequired, Required, Union

import msgspec
from msgspec.inspect import CustomType, Field, Type, type_info

from aura_aio.model.suggestions import did_you_mean

_PLACE: Final = re.compile(r"(.*) - at `\$([^` ]*)`\Z", re.DOTALL)
_UNIONS: Final = (Union, types.UnionType)
_WRAPPERS: Final = (Annotated, Required, NotRequired)
_LISTS: Final = (list, tuple, set, frozenset, Sequence)
_MAPPINGS: Final = (dict, Mapping)

Prepare = Callable[[Any], Any]


class Misfit(Exception):
    """A value is not what its annotation asks for; `place` is where in it, such as `[0].id`."""

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.place = place


class Conversion:
    """What turns values into what one annotation asks for; made once, and used for each call."""

    def __init__(self, hint: Any) -> None:
        classes: dict[type, _Fields] = {}
        self._hint = hint
        self._prepare = _preparation(hint, classes)
        self._prepares_first = bool(classes)  # msgspec passes over keys that they do not have

    @classmethod
    def to(cls, hint: Any) -> "Conversion | None":
        """The Conversion for this annotation; None if values cannot be checked against it: it
        names something that is not there at run time, an interface (`Callable`, a Protocol), or
        what msgspec does not know.
        """
        try:
            if _has_interface(type_info(hint), seen=set()):
                return None
            msgspec.convert(None, hint, dec_hook=_instance)
        except msgspec.ValidationError:
            pass
        except Exception:  # what stands in an annotation is a plan's code
            return None
        return cls(hint)

    def of(self, value: Any) -> Any:
        """`value`, plain data, as the annotation asks for it.

        Where a number or a truth is asked for, text is read as one, and a number is written where
        text is asked for. Times are RFC 3339; durations are ISO 8601, or seconds.

        Raises:
            Misfit: it does not fit.
        """
        if self._prepare is None or self._prepares_first:
            return self._made(value if self._prepare is None else self._prepare(value))
        try:
            return self._made(value)
        except Misfit:
            return self._made(self._prepare(value))

    def _made(self, value: Any) -> Any:
        try:
            return msgspec.convert(
                value, self._hint, strict=False, str_keys=True, dec_hook=_instance
            )
        except msgspec.ValidationError as error:
            found = _PLACE.match(str(error))
            raise (Misfit(found[1], found[2]) if found else Misfit(str(error))) from error
        except (TypeError, OverflowError) as error:  # a list in a set, a number beyond all bounds
            raise Misfit(str(error)) from error


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


def _preparation(hint: Any, known: dict[type, "_Fields"]) -> Prepare | None:
    """What puts right what msgspec would refuse or pass over, though it is clear what is meant: a
    number for a text, the name of an enum's member, keys that a class does not have; None if there
    can be nothing of that. `known` are the classes that have been met.
    """
    hint = bare(hint)
    of = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if hint is str:
        return _as_text
    if isinstance(hint, enum.EnumMeta):
        return _Members(hint)
    if origin in _UNIONS:
        return _preparation_of_union(of, known)
    if origin in _MAPPINGS and len(of) == 2:
        inner = _preparation(of[1], known)
        return inner and _Values(inner)
    if origin in _LISTS and of:
        return _preparation_of_list(of, known)
    return _fields(hint, known)


def _preparation_of_union(choices: tuple[Any, ...], known: dict[type, "_Fields"]) -> Prepare | None:
    """A list or a mapping is taken for the one choice that can take it."""
    found: dict[type, Prepare] = {}
    for kind, origins in ((list, _LISTS), (dict, _MAPPINGS)):
        takers = [
            choice
            for choice in map(bare, choices)
            if typing.get_origin(choice) in origins or (kind is dict and _fields(choice, known))
        ]
        inner = _preparation(takers[0], known) if len(takers) == 1 else None
        if inner is not None:
            found[kind] = inner
    if not found:
        return None
    return lambda value: found[type(value)](value) if type(value) in found else value


def _preparation_of_list(of: tuple[Any, ...], known: dict[type, "_Fields"]) -> Prepare | None:
    if len(of) == 1 or of[1:] == (Ellipsis,):
        inner = _preparation(of[0], known)
        return inner and _Items(inner)
    each = [_preparation(hint, known) for hint in of]
    return _Tuple(each) if any(each) else None


def _as_text(value: Any) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if is_number else value


class _Members:
    """Takes the name of a member for its value, unless that is a value too."""

    def __init__(self, kind: enum.EnumMeta) -> None:
        members: Mapping[str, enum.Enum] = kind.__members__
        values = {member.value for member in members.values()}
        self._values = {name: each.value for name, each in members.items() if name not in values}

    def __call__(self, value: Any) -> Any:
        return self._values.get(value, value) if isinstance(value, str) else value


def _within(place: str, key: object, prepare: Prepare | None, value: Any) -> Any:
    """`value` prepared; `place` with the `key` is where it stands, should it not fit."""
    if prepare is None:
        return value
    try:
        return prepare(value)
    except Misfit as misfit:
        raise Misfit(str(misfit), place.format(key) + misfit.place) from None


class _Items:
    """Prepares each element of a list."""

    def __init__(self, inner: Prepare) -> None:
        self._inner = inner

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [_within("[{}]", at, self._inner, each) for at, each in enumerate(value)]


class _Tuple:
    """Prepares the elements of a list whose places differ."""

    def __init__(self, inner: Sequence[Prepare | None]) -> None:
        self._inner = inner

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, list) or len(value) != len(self._inner):
            return value
        pairs = enumerate(zip(self._inner, value, strict=True))
        return [_within("[{}]", at, prepare, each) for at, (prepare, each) in pairs]


class _Values:
    """Prepares each value of a mapping."""

    def __init__(self, inner: Prepare) -> None:
        self._inner = inner

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: _within(".{}", key, self._inner, each) for key, each in value.items()}


class _Fields:
    """Prepares a mapping for a class; for a NamedTuple also a list, and what is ready is one."""

    def __init__(self, kind: type, hints: Mapping[str, Any]) -> None:
        self._kind = kind
        self._hints = hints
        self._inner: dict[str, Prepare | None] = {}

    def look_into(self, known: "dict[type, _Fields]") -> None:
        """Find out how the fields are prepared, which may be of the same class."""
        self._inner = {name: _preparation(hint, known) for name, hint in self._hints.items()}

    def __call__(self, value: Any) -> Any:
        is_tuple = issubclass(self._kind, tuple)
        if isinstance(value, list) and is_tuple:
            return _Tuple(list(self._inner.values())[: len(value)])(value)
        if not isinstance(value, dict):
            return value
        if not issubclass(self._kind, msgspec.Struct):  # which says itself whether it takes more
            for key in value.keys() - self._inner.keys():
                raise Misfit(f"There is no field {key!r}.{did_you_mean(str(key), self._inner)}")
        prepared = {
            key: _within(".{}", key, self._inner.get(key), each) for key, each in value.items()
        }
        return self._in_order(prepared) if is_tuple else prepared

    def _in_order(self, prepared: dict[str, Any]) -> list[Any]:
        defaults: dict[str, Any] = getattr(self._kind, "_field_defaults", {})
        given = defaults | prepared
        for key in self._inner.keys() - given.keys():
            raise Misfit(f"Object missing required field `{key}`")
        return [given[key] for key in self._inner]


def _fields(hint: Any, known: dict[type, _Fields]) -> _Fields | None:
    """What prepares mappings for a class, if mappings can become one."""
    if not isinstance(hint, type):
        return None
    if hint not in known:
        hints = _field_hints(hint)
        if hints is None:
            return None
        known[hint] = _Fields(hint, hints)
        known[hint].look_into(known)
    return known[hint]


def _field_hints(kind: type) -> dict[str, Any] | None:
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
