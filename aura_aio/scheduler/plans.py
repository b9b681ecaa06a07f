"""Plans: what is loaded, and loading it anew.

May import catalog, model and `scheduler.triggers` only.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from aura_aio.catalog import json_schema
from aura_aio.catalog.catalog import Catalog, load_catalog
from aura_aio.catalog.validation import DEFAULT_FILE, check_document
from aura_aio.model.errors import BadReference, PlanNotFound, RunsActive
from aura_aio.model.plan import LoadError, Plan, Task
from aura_aio.model.ports import Dispatcher, RunStore
from aura_aio.scheduler.triggers import Triggers

_log = logging.getLogger("aura.scheduler.plans")

_MOST_TOLD: Final = 20


class Plans:
    """The plans as they are loaded; replaced as a whole, never changed."""

    def __init__(self, catalog: Catalog, roots: Sequence[Path]) -> None:
        self._catalog = catalog
        self._roots = tuple(roots)

    @classmethod
    async def load(cls, roots: Sequence[Path]) -> "Plans":
        """Read every plan below `roots`; a broken file is an error of its plan, never of this."""
        return cls(await _read(roots), roots)

    def catalog(self) -> Catalog:
        """All plans of this moment."""
        return self._catalog

    def list(self) -> tuple[Plan, ...]:
        """Every plan, by name."""
        return tuple(sorted(self._catalog.plans.values(), key=lambda plan: plan.name))

    def get(self, plan_name: str) -> Plan:
        """One plan.

        Raises:
            PlanNotFound: no plan of this name is loaded.
        """
        return self._catalog.plan(plan_name)

    def tasks(self, plan_name: str) -> tuple[Task, ...]:
        """The tasks of one plan, by name.

        Raises:
            PlanNotFound: no plan of this name is loaded.
        """
        tasks = self._catalog.plan(plan_name).tasks
        return tuple(sorted(tasks.values(), key=lambda task: task.name))

    def task(self, plan_name: str, task_name: str) -> Task:
        """One task, by its name or a canonical reference (TASKS.md).

        Raises:
            PlanNotFound, TaskNotFound: there is none.
        """
        return self._catalog.task(plan_name, task_name).task

    async def validate(
        self, document: str, *, plan_name: str | None, file: str | None
    ) -> tuple[LoadError, ...]:
        """What would be wrong with `document` as a file of tasks, in the order of its lines.

        Raises:
            BadReference: no plan of this name is loaded.
        """
        check = partial(check_document, plan_name=plan_name, file=file or DEFAULT_FILE)
        try:
            return await asyncio.to_thread(check, self._catalog, document)
        except PlanNotFound as error:
            raise BadReference(str(error)) from error

    async def reload(self) -> None:
        """Read every plan anew."""
        self._catalog = await _read(self._roots)


async def _read(roots: Sequence[Path]) -> Catalog:
    catalog = await asyncio.to_thread(load_catalog, roots)
    faults = [(error.place, error) for error in catalog.errors]
    for plan in catalog.plans.values():
        faults += [(f"{plan.name}/{error.place}", error) for error in plan.errors]
    for place, error in faults[:_MOST_TOLD]:
        told = {"action": "load_error", "place": place, "reason": error.message}
        _log.warning("load error", extra=told)
    if len(faults) > _MOST_TOLD:
        more = {"action": "more_load_errors", "count": len(faults) - _MOST_TOLD}
        _log.warning("more load errors", extra=more)
    return catalog


class PlanReload:
    """Reads every plan anew, and lets everybody know who works with them."""

    def __init__(
        self, plans: Plans, runs: RunStore, dispatcher: Dispatcher, triggers: Triggers
    ) -> None:
        self._plans = plans
        self._runs = runs
        self._dispatcher = dispatcher
        self._triggers = triggers

    async def __call__(self, *, force: bool) -> None:
        """Read the plans; new attempts see the actions as they are now, schedules and events are
        those of now.

        Raises:
            RunsActive: runs are under way, and it is not forced.
        """
        active = len(await self._runs.list_active())
        if active and not force:
            raise RunsActive(active)
        await self._plans.reload()
        await self._triggers.plans_changed()
        await self._dispatcher.reload()


def inputs_schema(task: Task) -> dict[str, Any]:
    """JSON Schema of the inputs that a run of `task` must be given."""
    return json_schema.inputs_schema(task.meta.inputs)
