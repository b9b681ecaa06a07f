"""Reads the steps of a task.

May import model, and of `catalog` what reads their parts.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from aura_aio.catalog import retries
from aura_aio.catalog.action_calls import CallChecks
from aura_aio.catalog.action_names import ActionNames
from aura_aio.catalog.dependencies import OPERATORS, find_cycle, read_dependency
from aura_aio.catalog.document import Node
from aura_aio.catalog.place import Place
from aura_aio.catalog.references import NAME_RULE, is_name
from aura_aio.catalog.template_checks import SCOPE, TemplateChecks, is_template, looks_like_one
from aura_aio.model.plan import Isolation, Loop, Step

STEP_FIELDS: Final = (
    "action", "params", "depends_on", "when", "loop", "timeout", "timeout_sec", "outputs",
    "step_note", "isolation", *retries.FIELDS,
)  # fmt: skip
KINDS_OF_LOOPS: Final = ("for_each", "times", "while")
LOOP_FIELDS: Final = (*KINDS_OF_LOOPS, "max_iterations", "parallelism")


def read_steps(place: Place, inputs: Collection[str], actions: ActionNames) -> tuple[Step, ...]:
    """The steps under `steps`, in the order of the file; a step that is broken is left out."""
    entries = place.entries("steps by name: {fetch: {action: …}}")
    reader = _StepReader(outputs_of_steps(place), inputs, actions)
    found = (
        reader.read(name, entry, place) for name, entry in entries.items() if not place.is_hopeless
    )
    steps = tuple(step for step in found if step is not None)
    ring = find_cycle(steps)
    if ring is not None:
        entries[ring[0]].entries()["depends_on"].fault(
            f"These steps wait for each other: {' → '.join(ring)}."
        )
    return steps


def outputs_of_steps(place: Place) -> dict[str, Collection[str]]:
    """The names of the steps under `steps`, each with the names of its outputs, right or wrong."""
    if not place.is_mapping():
        return {}
    return {name: _output_names(step) for name, step in place.node.value.items()}


def _output_names(step: Node) -> Collection[str]:
    outputs = step.value.get("outputs") if isinstance(step.value, dict) else None
    return outputs.value.keys() if outputs and isinstance(outputs.value, dict) else ()


class _StepReader:
    """Reads steps that know of each other."""

    def __init__(
        self,
        steps: Mapping[str, Collection[str]],
        inputs: Collection[str],
        actions: ActionNames,
    ) -> None:
        self._names = steps.keys()
        self._templates = TemplateChecks(steps, inputs)
        self._actions = actions
        self._calls = CallChecks()

    def read(self, name: str, place: Place, steps: Place) -> Step | None:
        if not is_name(name):
            steps.fault_at_key(name, f"The name {name!r} is not allowed: {NAME_RULE}.")
        elif name in OPERATORS:
            steps.fault_at_key(name, f"No step can be called {name!r}: depends_on has that word.")
        fields = place.fields(STEP_FIELDS, expected="a step: {action, params, …}")
        if not place.is_mapping():
            return None
        on_exception, on_result = retries.read_retries(place, fields)
        step = Step(
            name=name,
            action=self._action(place, fields),
            params=fields["params"].value if "params" in fields else {},
            depends_on=(
                read_dependency(fields["depends_on"], self._names)
                if "depends_on" in fields
                else None
            ),
            when=_read_when(fields),
            loop=_read_loop(fields["loop"]) if "loop" in fields else None,
            on_exception=on_exception,
            on_result=on_result,
            timeout_sec=read_timeout(place, fields),
            outputs=_read_outputs(fields),
            step_note=fields["step_note"].text() if "step_note" in fields else None,
            isolation=_read_isolation(fields),
        )
        self._check_templates(fields)
        self._check_call(step.action, place, fields)
        return step

    def _action(self, place: Place, fields: dict[str, Place]) -> str:
        if "action" not in fields:
            place.lacks("action", "A step needs an 'action'.")
            return ""
        action = fields["action"].text("the name of an action")
        isolated = "isolation" in fields
        fault = self._actions.fault(action, isolated) if action is not None else None
        if fault is not None:
            fields["action"].fault(fault)
        return action or ""

    def _check_call(self, action: str, place: Place, fields: dict[str, Place]) -> None:
        signature = self._actions.signature(action)
        params = fields.get("params")
        is_clear = not place.node.repeated and (params is None or params.is_mapping())
        if signature is not None and is_clear:
            self._calls.check(action, place, params, signature)

    def _check_templates(self, fields: dict[str, Place]) -> None:
        check = self._templates.check
        inner = SCOPE | {"loop"} if "loop" in fields else SCOPE
        if "params" in fields and fields["params"].entries("parameters by name: {url: …}"):
            check(fields["params"], inner)
        if "when" in fields:
            check(fields["when"])
        if "outputs" in fields:
            check(fields["outputs"], inner | {"result"})
        if "step_note" in fields:
            check(fields["step_note"], (inner & {"inputs", "loop"}) | {"params"})
        for place in retries.retry_conditions(fields):
            check(place, inner | {"result", "attempt"})
        if "loop" in fields and fields["loop"].is_mapping():
            for key, place in fields["loop"].entries().items():
                check(place, inner | {"result"} if key == "while" else SCOPE)


def read_timeout(parent: Place, fields: dict[str, Place]) -> float | None:
    """The limit in seconds under `timeout` or `timeout_sec`."""
    if "timeout" in fields and "timeout_sec" in fields:
        parent.fault_at_key("timeout_sec", "'timeout' and 'timeout_sec' say the same: keep one.")
    place = fields.get("timeout") or fields.get("timeout_sec")
    return place.seconds(zero=False) if place is not None else None


def _read_isolation(fields: dict[str, Place]) -> Isolation | None:
    word = fields["isolation"].choice(Isolation) if "isolation" in fields else None
    return Isolation(word) if word is not None else None


def _read_when(fields: dict[str, Place]) -> str | bool | None:
    if "when" not in fields:
        return None
    place = fields["when"]
    if isinstance(place.node.value, bool):
        return place.node.value
    text = place.text("a template, true or false")
    if text is not None and looks_like_one(text):
        place.fault(f'This is no template, but always true: write "{{{{ {text} }}}}".')
    return text


def _read_outputs(fields: dict[str, Place]) -> dict[str, Any] | None:
    if "outputs" not in fields:
        return None
    place = fields["outputs"]
    entries = place.entries('outputs by name: {body: "{{ … }}"}')
    for key in entries:
        if key == "run_state" or not is_name(key):
            rule = "that is where its state stands" if key == "run_state" else NAME_RULE
            place.fault_at_key(key, f"An output cannot be called {key!r}: {rule}.")
    return {key: entry.value for key, entry in entries.items()} or None


def _read_loop(place: Place) -> Loop | None:
    fields = place.fields(LOOP_FIELDS, expected="a loop: {for_each|times|while: …}")
    kinds = [key for key in KINDS_OF_LOOPS if key in fields]
    if len(kinds) > 1:
        place.fault("A loop has one of 'for_each', 'times' and 'while', not several.")
        return None
    if not kinds:
        place.lacks(KINDS_OF_LOOPS, "A loop needs one of 'for_each', 'times' and 'while'.")
        return None
    kind = kinds[0]
    for key, meant in (("max_iterations", kind == "while"), ("parallelism", kind != "while")):
        if key in fields and not meant:
            place.fault_at_key(key, f"{key!r} has no meaning with {kind!r}.")
    _check_loop_value(kind, fields[kind])
    settings: dict[str, Any] = {"while_" if kind == "while" else kind: fields[kind].value}
    for key in ("max_iterations", "parallelism"):
        number = fields[key].integer(minimum=1) if key in fields else None
        if number is not None:
            settings[key] = number
    return Loop(**settings)


def _check_loop_value(kind: str, place: Place) -> None:
    template = place.is_text() and is_template(place.node.value)
    if kind == "times" and not template:
        place.integer(minimum=0)
    elif kind == "while" and not template:
        place.expected("a template")
    elif kind == "for_each" and not (template or place.is_list() or place.is_mapping()):
        place.expected("a list, a mapping or a template")
