"""Components that several tags share: problems, cids, free JSON values, labels.

May import `schemas.fields` and `schemas.bases` only.
"""

from typing import Any, ClassVar

from aura_aio.api.schemas.bases import AnswerSchema
from aura_aio.api.schemas.fields import (
    Anything,
    Int32,
    Int64,
    Items,
    MostProperties,
    Nested,
    Objects,
    Text,
    Word,
)

PLAN_NAME_LENGTH = 255
TASK_NAME_LENGTH = 512
STEP_NAME_LENGTH = 100
CID_LENGTH = 64


class FieldLocationField(Word):
    """FieldLocation."""

    words: ClassVar = ("body", "query", "path", "header")


class CidField(Text):
    """Cid."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            pattern="^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
            **options,
        )


class JsonValueField(Anything):
    """JsonValue."""


class JsonObjectField(Objects):
    """JsonObject."""


class LabelsField(Objects):
    """Labels."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            keys=Text(least=1, most=63, pattern="^[^=]+$"),
            values=Text(most=255),
            validate=[MostProperties(32)],
            **options,
        )


class CountsField(Objects):
    """Counts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(values=Int64(least=0), **options)


class FieldErrorSchema(AnswerSchema):
    """FieldError."""

    location = FieldLocationField(required=True)
    field = Text(required=True)
    message = Text(required=True)


class ProblemSchema(AnswerSchema):
    """Problem."""

    type = Text(required=True)
    title = Text(required=True)
    status = Int32(least=400, most=599, required=True)
    detail = Text(required=True)
    instance = Text()
    errors = Items(Nested(FieldErrorSchema))
    request_id = Text()
