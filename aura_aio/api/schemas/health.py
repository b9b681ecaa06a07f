"""Components and parameters of the tag `health`.

May import `schemas.fields`, `schemas.bases` and `schemas.common` only.
"""

from aura_aio.api.schemas.bases import AnswerSchema
from aura_aio.api.schemas.fields import Text


class HealthSchema(AnswerSchema):
    """Health."""

    status = Text(required=True)


class ReadinessSchema(AnswerSchema):
    """Readiness."""

    status = Text(required=True)
