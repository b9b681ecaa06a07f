"""What names a plan as it is: the same on every host that has loaded the same.

May import model, msgspec, and of `catalog` `plan_reader` and `references`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from aura_aio.catalog.plan_reader import LoadedPlan
from aura_aio.catalog.references import split_action

_LENGTH: Final = 32
"""Digits of a digest: 128 bits. It stands in each run, and in the indexes of the queue."""

_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def plan_digests(plans: Iterable[LoadedPlan]) -> Mapping[str, str]:
    """The digest of each plan, by its name. It covers all that decides what its runs do: its tasks
    as they are frozen, its Python, and the Python of other plans whose actions its tasks call. Not
    where it is, when its files were changed, what they say beside the tasks.
    """
    loaded = {each.plan.name: each for each in plans}
    code = {name: _of_code(each) for name, each in loaded.items()}
    return {name: _of_plan(each, code) for name, each in loaded.items()}


def _of_code(loaded: LoadedPlan) -> str:
    """The digest of a plan's Python: its files, and where its actions are in them."""
    files = {path: stamp.digest for path, stamp in loaded.code.items()}
    actions = {name: (spec.module, spec.function) for name, spec in loaded.plan.actions.items()}
    return hashlib.sha256(_encode((files, actions))).hexdigest()


def _of_plan(loaded: LoadedPlan, code: Mapping[str, str]) -> str:
    tasks = {name: each.definition.digest for name, each in loaded.tasks.items()}
    called = {
        split_action(step.action)[0] or loaded.plan.name
        for task in loaded.plan.tasks.values()
        for step in task.steps
    }
    needed = {name: code.get(name, "") for name in called | {loaded.plan.name}}
    return hashlib.sha256(_encode((tasks, needed))).hexdigest()[:_LENGTH]
