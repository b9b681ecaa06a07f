"""Fields that judge a JSON value exactly as JSON Schema does, and those that read a query's text.

May import marshmallow, webargs, and of `api` `moments` and `query_texts` only. The bounds are
marshmallow's own validators, so that the mirror test and the Swagger view can read them.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from itertools import chain
from typing import Any, ClassVar

from marshmallow import ValidationError, fields
from marshmallow.validate import Length, OneOf, Range, Regexp, Validator
from webargs.fields import DelimitedFieldMixin

from aura_aio.api.moments import moment_of
from aura_aio.api.query_texts import flag_of, integer_of, number_of


class MostProperties(Validator):
    """At the most `most` properties in an object."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, value: Mapping[str, Any]) -> None:
        """Raise ValidationError for more."""
        if len(value) > self.most:
            raise ValidationError(f"Must not have more than {self.most} properties.")


_SENTENCES: Mapping[str, str] = {
    "required": "Is required.",
    "null": "Must not be null: leave it out instead.",
}


class Strict:
    """What all fields here share: `sentence` is what they say to a value of another type."""

    sentence: ClassVar[str]
    validators: list[Any]

    def make_error(self, key: str, **_: Any) -> ValidationError:
        """A sentence for people; `key` is marshmallow's word for what happened."""
        return ValidationError(_SENTENCES.get(key, self.sentence))

    def _validate(self, value: Any) -> None:
        for validator in self.validators:
            validator(value)


def _present(*validators: Validator | None) -> list[Validator]:
    return [validator for validator in validators if validator is not None]


def _length(least: int | None, most: int | None) -> Validator | None:
    return None if least is None and most is None else Length(min=least, max=most)


def _range(least: float | None, most: float | None) -> Validator | None:
    return None if least is None and most is None else Range(min=least, max=most)


class Matches(Regexp):
    """A pattern whose `$` is the end, as JSON Schema has it: Python's lets a line feed follow."""

    def __init__(self, pattern: str) -> None:
        super().__init__(pattern, error="Must match {regex}.")
        self.whole = re.sub(r"\$\Z", r"\\Z", pattern)
        """The pattern as Python spells it; a text must match it from its beginning."""
        self._whole = re.compile(self.whole)

    def __call__(self, value: Any) -> Any:
        if self._whole.match(value) is None:
            raise ValidationError(self._format_error(value))
        return value


class Text(Strict, fields.String):
    """A string of `least` to `most` characters that matches `pattern`."""

    sentence: ClassVar = "Must be a string."

    def __init__(
        self,
        *,
        least: int | None = None,
        most: int | None = None,
        pattern: str | None = None,
        **options: Any,
    ) -> None:
        matches = Matches(pattern) if pattern is not None else None
        super().__init__(validate=_present(_length(least, most), matches), **options)


class Word(Text):
    """One of the `words` of a class of its own, which is named after the enum in the contract."""

    words: ClassVar[tuple[str, ...]]

    def __init__(self, **options: Any) -> None:
        fields.String.__init__(
            self, validate=[OneOf(self.words, error="Must be one of: {choices}.")], **options
        )


class Moment(Strict, fields.DateTime):
    """A time as of RFC 3339, with its offset; loads as an aware `datetime`."""

    sentence: ClassVar = (
        "Must be a date-time with an offset, as in 2026-03-02T09:15:00Z"
        " (in an address, + is written %2B)."
    )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment = moment_of(value)
        if moment is None:
            raise self.make_error("invalid")
        return moment


class _Whole(Strict, fields.Integer):
    """A whole number; 2.0 is one, as in JSON Schema, and true is none."""

    size: ClassVar[str]
    sentence: ClassVar = "Must be an integer."

    def __init__(
        self, *, least: int | None = None, most: int | None = None, **options: Any
    ) -> None:
        metadata = {"format": self.size}
        super().__init__(validate=_present(_range(least, most)), metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Int32(_Whole):
    """A whole number of 32 bits."""

    size: ClassVar[str] = "int32"


class Int64(_Whole):
    """A whole number of 64 bits."""

    size: ClassVar[str] = "int64"


class Double(Strict, fields.Float):
    """A finite number; true is none."""

    sentence: ClassVar = "Must be a number."

    def __init__(
        self, *, least: float | None = None, most: float | None = None, **options: Any
    ) -> None:
        metadata = {"format": "double"}
        super().__init__(validate=_present(_range(least, most)), metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.make_error("invalid")
        try:
            number = float(value)
        except OverflowError as error:
            raise self.make_error("invalid") from error
        if not math.isfinite(number):
            raise self.make_error("invalid")
        return number


class Flag(Strict, fields.Boolean):
    """true or false, nothing that looks like it."""

    sentence: ClassVar = "Must be true or false."

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Items(Strict, fields.List[Any]):
    """An array of `least` to `most` items."""

    sentence: ClassVar = "Must be an array."

    def __init__(
        self,
        inner: "fields.Field[Any]",
        *,
        least: int | None = None,
        most: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(inner, validate=_present(_length(least, most)), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


class ItemsJudgedLater(Items):
    """An array whose items are let through as they are, to be judged one by one, each by itself.

    In the contract it is marked `x-aura-judged-per-item`.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return value


class CommaSeparated(DelimitedFieldMixin, Items):
    """An array in one query parameter, `a,b`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        return Items._deserialize(self, value.split(",") if value else [], attr, data, **kwargs)


class Nested(Strict, fields.Nested):
    """An object of another schema."""

    sentence: ClassVar = "Must be an object."


class Objects(Strict, fields.Dict):
    """An object with any properties; `keys` and `values` say what they must be."""

    sentence: ClassVar = "Must be an object."

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]
        except ValidationError as error:
            if not isinstance(error.messages, dict):
                raise
            # marshmallow puts "key" and "value" between the name and what is wrong with it.
            flat = {name: [*chain(*both.values())] for name, both in error.messages.items()}
            raise ValidationError(flat) from error


class Anything(Strict, fields.Raw):
    """Any JSON value, null too."""

    sentence: ClassVar = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_none=True, **options)


class QueryInt32(Int32):
    """A whole number, read from text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        number = integer_of(value) if isinstance(value, str) else None
        if number is None:
            raise self.make_error("invalid")
        return number


class QueryInt64(QueryInt32):
    """A whole number of 64 bits, read from text."""

    size: ClassVar[str] = "int64"


class QueryDouble(Double):
    """A number, read from text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        number = number_of(value) if isinstance(value, str) else None
        if number is None:
            raise self.make_error("invalid")
        return super()._deserialize(number, attr, data, **kwargs)


class QueryFlag(Flag):
    """true or false (or 1 or 0), read from text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        flag = flag_of(value) if isinstance(value, str) else None
        if flag is None:
            raise self.make_error("invalid")
        return flag


def excludes(present: Mapping[str, Any] | Any, *names: str) -> None:
    """Refuse data in which all of `names` are present.

    Raises:
        ValidationError: they are; it names the last one.
    """
    if isinstance(present, Mapping) and all(name in present for name in names):
        others = " and ".join(names[:-1])
        raise ValidationError(f"Excludes {others}: send one of them.", names[-1])
