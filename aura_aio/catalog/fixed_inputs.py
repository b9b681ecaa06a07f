"""Inputs that stand in a file of a plan, for runs that nobody is there to give them to.

May import model, and of `catalog` `inputs`, `place`, `secret_inputs` and `template_checks`.
"""

from typing import Any, NamedTuple

from aura_aio.catalog.inputs import check_inputs
from aura_aio.catalog.place import Place
from aura_aio.catalog.secret_inputs import faults_of_secrets
from aura_aio.catalog.template_checks import is_template
from aura_aio.model.errors import InputsRejected
from aura_aio.model.plan import Task
from aura_aio.model.pointers import parts_of, spelled


class FixedInputs(NamedTuple):
    """Inputs as they are written, each with its place; `place` is where all of them belong."""

    values: dict[str, Any]
    place: Place
    entries: dict[str, Place]

    def check(self, task: Task) -> None:
        """Note where they do not fit `task`."""
        faults = faults_of_secrets(task.meta.inputs, self.values)
        try:
            check_inputs(task, self.values)
        except InputsRejected as error:
            faults += [(where.removeprefix("/inputs"), fault) for where, fault in error.faults]
        for where, fault in faults:
            place = self.entries.get(parts_of(where)[0], self.place)
            sentence = f"The input {spelled(where)} {fault}"
            place.fault(sentence if sentence.endswith((".", "?")) else f"{sentence}.")


def read_fixed_inputs(owner: Place, fields: dict[str, Place]) -> FixedInputs:
    """What stands under `inputs` of `owner`, as it is: there are no templates in it."""
    if "inputs" not in fields:
        return FixedInputs({}, owner, {})
    place = fields["inputs"]
    entries = place.entries("the inputs, by name")
    for entry in entries.values():
        _refuse_templates(entry)
    return FixedInputs({name: entry.value for name, entry in entries.items()}, place, entries)


def _refuse_templates(place: Place) -> None:
    if place.is_mapping():
        for entry in place.entries().values():
            _refuse_templates(entry)
    elif place.is_list():
        for item in place.items():
            _refuse_templates(item)
    elif place.is_text() and is_template(place.node.value):
        place.fault("These inputs are taken as they are: a template is not rendered here.")
