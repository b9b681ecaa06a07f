"""Decides beforehand what the inputs of a run decide alone: which of its steps `when` lets run.

May import model, of `catalog` `inputs` and `template_checks`, and of `engine` `failures`, `sandbox`
and what templates are made of.
"""

from collections.abc import Mapping
from typing import Any, Final

from aura_aio.catalog.inputs import with_absent
from aura_aio.catalog.template_checks import needs
from aura_aio.engine.failures import TemplateFailed
from aura_aio.engine.sandbox import Named
from aura_aio.engine.template_bounds import Budget
from aura_aio.engine.templates import Templates, truth
from aura_aio.model.plan import Task

_KNOWN: Final = frozenset({"inputs"})


def foresee(task: Task, inputs: Mapping[str, Any]) -> dict[str, bool]:
    """What `when` is, by step, of those steps for which these checked inputs decide it; left out
    are those where it cannot be rendered, and all that there is no time left for: half a second is
    for all of them together.

    Takes that time of a processor: call it in a thread.
    """
    conditions = {
        step.name: step.when
        for step in task.steps
        if isinstance(step.when, str) and needs(step.when) <= _KNOWN
    }
    if not conditions:
        return {}
    templates, budget = Templates(), Budget()
    names = {"inputs": Named("inputs", with_absent(task.meta.inputs, dict(inputs)))}
    found: dict[str, bool] = {}
    for step, condition in conditions.items():
        try:
            found[step] = truth(templates.form(condition, "when"), names, budget)
        except TemplateFailed:  # so would the step, which is for the run to say
            continue
    return found
