"""What is different between plans as they were loaded and as they are loaded now.

May import model and `catalog.catalog`.
"""

from collections.abc import Iterator

from aura_aio.catalog.catalog import Catalog
from aura_aio.catalog.plan_reader import LoadedPlan
from aura_aio.model.plan import LoadError


def changed_plans(before: Catalog, now: Catalog) -> list[str]:
    """The names of the plans that have come, gone, or are not what they were."""
    names = {*before.plans, *now.plans}
    return sorted(name for name in names if before.plans.get(name) != now.plans.get(name))


def differ(before: Catalog, now: Catalog) -> bool:
    """Whether anybody could notice."""
    return before.errors != now.errors or bool(changed_plans(before, now))


def new_errors(before: Catalog, now: Catalog) -> list[tuple[str | None, LoadError]]:
    """What is wrong now and was not before, each with the plan that it is in."""
    known = set(_errors(before))
    return [each for each in _errors(now) if each not in known]


def workers_must_change(before: Catalog, now: Catalog) -> bool:
    """Whether a worker that was told of the plans `before` could not execute those of `now`: a plan
    or an action is new or another, or a plan's Python has changed.

    Python that is broken now is no reason: the worker has imported what it was.
    """
    return _as_workers_know_it(before) != _as_workers_know_it(now)


def _as_workers_know_it(catalog: Catalog) -> dict[str, object]:
    return {root: _code(loaded) for root, loaded in catalog.by_root.items()}


def _code(loaded: LoadedPlan) -> object:
    return loaded.plan.name, loaded.plan.actions, loaded.code


def _errors(catalog: Catalog) -> Iterator[tuple[str | None, LoadError]]:
    for error in catalog.errors:
        yield None, error
    for plan in catalog.plans.values():
        for error in plan.errors:
            yield plan.name, error
