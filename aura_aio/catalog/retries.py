"""Reads when a step is tried again: `on_exception`, `on_result` and the short forms.

May import model and `catalog.place`.
"""

from typing import Final

from aura_aio.catalog.place import Place
from aura_aio.model.plan import OnException, OnResult

SHORT_FORMS: Final = ("retry", "retry_delay", "retry_on", "retry_condition")
ON_EXCEPTION_FIELDS: Final = ("retry", "retry_on", "delay", "backoff", "max_delay", "jitter")
ON_RESULT_FIELDS: Final = ("retry_when", "max_retries", "delay")
RETRY_FIELDS: Final = ("count", "delay", "retry_on", "condition")
FIELDS: Final = ("on_exception", "on_result", *SHORT_FORMS)

Retries = tuple[OnException | None, OnResult | None]


def read_retries(step: Place, fields: dict[str, Place]) -> Retries:
    """What the fields of a step say about trying again."""
    short = [key for key in SHORT_FORMS if key in fields]
    if short and ("on_exception" in fields or "on_result" in fields):
        step.fault_at_key(short[0], f"{short[0]!r} and on_exception or on_result: keep one form.")
        return None, None
    if short:
        return _read_short(step, fields)
    on_exception = fields.get("on_exception")
    on_result = fields.get("on_result")
    return (
        _read_on_exception(on_exception) if on_exception else None,
        _read_on_result(on_result) if on_result else None,
    )


def retry_conditions(fields: dict[str, Place]) -> list[Place]:
    """The templates among the fields of a step that decide on another try."""
    found = [fields.get("retry_condition")]
    for key, inner in (("on_result", "retry_when"), ("retry", "condition")):
        if key in fields and fields[key].is_mapping():
            found.append(fields[key].entries().get(inner))
    return [place for place in found if place is not None]


def _read_on_exception(place: Place) -> OnException | None:
    fields = place.fields(ON_EXCEPTION_FIELDS, expected="{retry, retry_on, delay, …}")
    if "retry" not in fields:
        place.lacks("retry", "'on_exception' needs 'retry': how many more tries.")
        return None
    return OnException(
        retry=fields["retry"].integer(minimum=0) or 0,
        retry_on=_read_classes(fields),
        delay=_read_delay(fields, "delay"),
        backoff=(fields["backoff"].number(minimum=1) or 1.0) if "backoff" in fields else 1.0,
        max_delay=fields["max_delay"].seconds(zero=True) if "max_delay" in fields else None,
        jitter=fields["jitter"].boolean() is True if "jitter" in fields else False,
    )


def _read_on_result(place: Place) -> OnResult | None:
    fields = place.fields(ON_RESULT_FIELDS, expected="{retry_when, max_retries, delay}")
    if "retry_when" not in fields:
        place.lacks("retry_when", "'on_result' needs 'retry_when': a template.")
        return None
    condition = fields["retry_when"].text("a template")
    if condition is None:
        return None
    return OnResult(
        retry_when=condition,
        max_retries=(fields["max_retries"].integer(minimum=0) or 0)
        if "max_retries" in fields
        else 3,
        delay=_read_delay(fields, "delay"),
    )


def _read_short(step: Place, fields: dict[str, Place]) -> Retries:
    """`retry: 3` with `retry_delay`, `retry_on`, `retry_condition`, or `retry: {count, …}`."""
    if "retry" not in fields:
        key = next(key for key in SHORT_FORMS if key in fields)
        step.fault_at_key(key, f"{key!r} has no meaning without 'retry'.")
        return None, None
    words = {"retry_delay": "delay", "retry_on": "retry_on", "retry_condition": "condition"}
    given = {words[key]: fields[key] for key in words if key in fields}
    place = fields["retry"]
    if place.is_mapping():
        inner = place.fields(RETRY_FIELDS)
        if "count" not in inner:
            place.lacks("count", "'retry' needs 'count': how many more tries.")
            return None, None
        given = inner | given
        place = inner["count"]
    count = place.integer(minimum=0) or 0
    delay = _read_delay(given, "delay")
    condition = given["condition"].text("a template") if "condition" in given else None
    on_result = OnResult(condition, count, delay) if condition is not None else None
    return OnException(retry=count, retry_on=_read_classes(given), delay=delay), on_result


def _read_classes(fields: dict[str, Place]) -> tuple[str, ...] | None:
    if "retry_on" not in fields:
        return None
    return fields["retry_on"].texts("the name of an exception class, or a list of them") or None


def _read_delay(fields: dict[str, Place], key: str) -> float:
    return (fields[key].seconds(zero=True) or 0.0) if key in fields else 0.0
