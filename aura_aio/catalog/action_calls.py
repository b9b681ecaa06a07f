"""Checks the parameters of a step against what its action takes, as far as both can be known.

May import model, and of `catalog` `action_types`, `conversion`, `place` and `template_checks`.
"""

from collections.abc import Mapping

from aura_aio.catalog.action_types import ANYTHING, OPAQUE, type_of
from aura_aio.catalog.conversion import Conversion, Misfit
from aura_aio.catalog.place import Place
from aura_aio.catalog.template_checks import is_template
from aura_aio.model.plan import Signature
from aura_aio.model.suggestions import close_names, did_you_mean


class CallChecks:
    """The checks of all calls in a plan's tasks: what they are made of is made once."""

    def __init__(self) -> None:
        self._conversions: dict[str, Conversion | None] = {}

    def check(self, action: str, step: Place, params: Place | None, signature: Signature) -> None:
        """Note what would make every call of `action` fail: a parameter that it does not have, one
        that is missing, or a value without templates that does not fit. What is wrong here is wrong
        in a run, for the same reason; what is fine here need not be.
        """
        given = params.entries() if params is not None else {}
        meant: set[str] = set()
        if params is not None and not signature.takes_more:
            meant = _check_names(action, params, given, signature)
        for name in signature.required:
            fault = f"The action {action!r} needs the parameter {name!r}."
            if params is None:
                step.lacks("params", fault)
            elif name not in given and name not in meant:
                params.fault(fault)
        for name, place in given.items():
            self._check_value(name, place, signature.types.get(name))

    def _check_value(self, name: str, place: Place, kind: str | None) -> None:
        if kind is None or kind in {ANYTHING, OPAQUE} or _has_template(place):
            return
        if kind not in self._conversions:
            self._conversions[kind] = Conversion.to(type_of(kind))
        conversion = self._conversions[kind]
        try:
            if conversion is not None:
                conversion.of(place.value)
        except Misfit as misfit:
            end = "" if str(misfit).endswith(("?", ".")) else "."
            place.fault(f"The parameter {name + misfit.place!r} does not fit: {misfit}{end}")


def _check_names(
    action: str, params: Place, given: Mapping[str, Place], signature: Signature
) -> set[str]:
    """Note parameters that there are none of; answers those that may be meant."""
    meant: set[str] = set()
    others = signature.types.keys() - given.keys()
    for name in given:
        if params.is_hopeless:
            break
        if name not in signature.types:
            meant.update(close_names(name, others))
            suggestion = did_you_mean(name, others or signature.types)
            params.fault_at_key(
                name, f"The action {action!r} has no parameter {name!r}.{suggestion}"
            )
    return meant


def _has_template(place: Place) -> bool:
    """Whether what stands there is known only in a run."""
    if place.is_mapping():
        return any(map(_has_template, place.entries().values()))
    if place.is_list():
        return any(map(_has_template, place.items()))
    return place.is_text() and is_template(place.node.value)
