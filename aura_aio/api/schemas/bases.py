"""What the schemas of requests, answers, queries, paths and headers each have in common.

May import marshmallow, `schemas.fields` and model.suggestions only.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import (
    EXCLUDE,
    INCLUDE,
    RAISE,
    Schema,
    ValidationError,
    fields,
    pre_load,
    validates_schema,
)

from aura_aio.api.schemas.fields import excludes
from aura_aio.model.suggestions import close_names


class Suggesting(Schema):
    """A schema whose first fault of an unknown name suggests those that may have been meant."""

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **kwargs: Any) -> None:
        """Add the suggestion to the fault; a thousand unknown names cost no more than one."""
        told = self.error_messages["unknown"]
        messages = error.messages if isinstance(error.messages, dict) else {}
        unknown = (name for name, faults in messages.items() if faults == [told])
        name = next(unknown, None)
        if isinstance(name, str):
            known = [field.data_key or each for each, field in self.fields.items()]
            if close := close_names(name, known):
                meant = " or ".join(map(repr, close))
                messages[name] = [f"{told} Did you mean {meant}?"]


class RequestSchema(Suggesting):
    """The body of a request: strict, what it does not know it refuses."""

    class Meta:
        unknown = RAISE

    error_messages = {  # noqa: RUF012 - so declared by marshmallow
        "unknown": "There is no such property.",
        "type": "Must be an object.",
    }


class ExclusiveSchema(RequestSchema):
    """The body of a request of whose properties `excluded` only one may be there."""

    excluded: ClassVar[tuple[str, ...]]

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _exclude(self, _: Any, original: Any, **__: Any) -> None:
        excludes(original, *self.excluded)


class AnswerSchema(Schema):
    """The body of an answer: open, later versions may add properties."""

    class Meta:
        unknown = INCLUDE


class QuerySchema(Suggesting):
    """The query of an operation: a mistyped filter must not look like one that matched all."""

    class Meta:
        unknown = RAISE

    error_messages = {  # noqa: RUF012 - so declared by marshmallow
        "unknown": "There is no such query parameter.",
    }

    @pre_load
    def _once_each(self, data: Mapping[str, Any], **_: Any) -> Mapping[str, Any]:
        """Refuse a parameter that is given twice but takes one value: which would it be?"""
        values_of = getattr(data, "getall", None)  # a multidict; a plain dict can't hold it twice
        if values_of is not None:
            twice = [
                name
                for name in dict.fromkeys(data)
                if not _takes_several(self.fields.get(name)) and len(values_of(name)) > 1
            ]
            if twice:
                raise ValidationError({name: ["Must be given only once."] for name in twice})
        return data


class NoQuerySchema(QuerySchema):
    """The query of an operation that has none."""


class PathSchema(Schema):
    """The parameters in a path."""

    class Meta:
        unknown = RAISE


class HeadersSchema(Schema):
    """The headers that an operation reads, among all those that a client sends."""

    class Meta:
        unknown = EXCLUDE


def _takes_several(field: fields.Field[Any] | None) -> bool:
    return isinstance(field, fields.List) and getattr(field, "is_multiple", True) is not False
