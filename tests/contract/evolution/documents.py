"""What a contract breaks of an earlier one: operations, parameters, bodies, answers, access.

Imports the contract's view, its references and `schemas`.
"""

from collections.abc import Iterator
from typing import NamedTuple

from aura_aio.contract.document import Answer, Contract, Operation, Parameter
from aura_aio.model.access import Scope
from tests.contract.evolution.schemas import Pair, Way


class Break(NamedTuple):
    """Something that clients of the earlier contract can trip over: where, and what it is.

    `subject` is what CHANGELOG.md must name: an operationId or a component.
    """

    subject: str
    what: str


def breaks(before: Contract, after: Contract) -> list[Break]:
    """Everything that breaks, each once, in the order of the earlier contract.

    What clients must stand anyway breaks nothing: new operations, new words and properties in
    answers, new errors, other prose.
    """
    found: dict[Break, None] = {}
    sent = Pair(before.as_dict(), after.as_dict(), Way.SENT)
    answered = Pair(before.as_dict(), after.as_dict(), Way.ANSWERED)
    now = {each.operation_id: each for each in after.operations}
    for old in before.operations:
        new = now.get(old.operation_id)
        if new is None:
            found[Break(old.operation_id, "the operation is gone")] = None
            continue
        for place, what in _operation(old, new, sent, answered):
            subject, _, rest = place.partition(".")
            found[Break(subject, f"{rest}: {what}" if rest else what)] = None
    return list(found)


def _operation(
    old: Operation, new: Operation, sent: Pair, answered: Pair
) -> Iterator[tuple[str, str]]:
    place = old.operation_id
    was, now = f"{old.method} {old.path}", f"{new.method} {new.path}"
    if was != now:
        yield place, f"is {now}, and was {was}"
    yield from _access(old, new)
    yield from _parameters(old, new, sent)
    if new.body_required and not old.body_required:
        yield place, "a body must be sent"
    if old.body is not None and new.body is None:
        yield place, "takes no body any more"
    elif old.body is not None and new.body is not None:
        yield from sent.breaks(_reference(old.body), _reference(new.body), place)
    yield from _answers(old, new, answered)


def _access(old: Operation, new: Operation) -> Iterator[tuple[str, str]]:
    place = old.operation_id
    if new.scope is not None and (old.scope is None or not old.scope.holds(new.scope)):
        needed = old.scope or "no token"
        yield place, f"needs a token with the scope {Scope(new.scope)}, and needed {needed}"
    if old.takes_ticket and not new.takes_ticket:
        yield place, "takes no ticket any more"
    if old.narrowed and not new.narrowed:
        yield place, "takes no token any more that is narrowed to plans"


def _parameters(old: Operation, new: Operation, sent: Pair) -> Iterator[tuple[str, str]]:
    was, now = _by_name(old), _by_name(new)
    for key, parameter in was.items():
        if key not in now:
            yield old.operation_id, f"the {key} is gone"
            continue
        place = f"{old.operation_id}.{key}"
        yield from sent.breaks(dict(parameter.schema), dict(now[key].schema), place)
    for key, parameter in now.items():
        if parameter.required and not (key in was and was[key].required):
            yield old.operation_id, f"the {key} must be sent"


def _by_name(operation: Operation) -> dict[str, Parameter]:
    listed = (
        *operation.path_parameters,
        *operation.query_parameters,
        *operation.header_parameters,
    )
    return {f"{each.location} parameter {each.name}": each for each in listed}


def _answers(old: Operation, new: Operation, answered: Pair) -> Iterator[tuple[str, str]]:
    now = {answer.status: answer for answer in new.answers}
    for answer in old.answers:
        if answer.status in now:
            yield from _answer(old.operation_id, answer, now[answer.status], answered)
        elif answer.status < 400:
            yield old.operation_id, f"does not answer {answer.status} any more"


def _answer(place: str, old: Answer, new: Answer, answered: Pair) -> Iterator[tuple[str, str]]:
    where = f"{place}.{old.status}"
    if old.media_type != new.media_type:
        yield where, f"is {new.media_type}, and was {old.media_type}"
    elif old.component is not None and new.component is not None:
        yield from answered.breaks(_reference(old.component), _reference(new.component), where)
    for media_type in old.texts.keys() - new.texts.keys():
        yield where, f"is never {media_type} any more"
    for name, (always, schema) in old.headers.items():
        if name not in new.headers or (always and not new.headers[name][0]):
            yield where, f"the header {name} is not {'always ' if name in new.headers else ''}there"
        else:
            below = f"{where}.{name}"
            yield from answered.breaks(dict(schema), dict(new.headers[name][1]), below)


def _reference(component: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{component}"}
