"""Plans: what is loaded, and loading it anew.

May import catalog and model only.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from aura_aio.catalog import json_schema
from aura_aio.catalog.catalog import Catalog, load_catalog, reload_catalog
from aura_aio.catalog.changes import changed_plans, differ, new_errors, workers_must_change
from aura_aio.catalog.task_schema import task_schema
from aura_aio.catalog.validation import DEFAULT_FILE, check_document
from aura_aio.model.errors import BadReference, PlanNotFound, RunsActive
from aura_aio.model.fleet import PlanDigests
from aura_aio.model.plan import ActionSpec, LoadError, Plan, Task
from aura_aio.model.ports import Dispatcher, RunStore

_log = logging.getLogger("aura.scheduler.plans")

_MOST_TOLD: Final = 20


class Plans:
    """The plans as they are loaded; replaced as a whole, never changed."""

    def __init__(
        self, catalog: Catalog, roots: Sequence[Path], builtin: Callable[[], Sequence[ActionSpec]]
    ) -> None:
        self._catalog = catalog
        self._roots = tuple(roots)
        self._builtin = builtin

    @classmethod
    async def load(
        cls, roots: Sequence[Path], builtin: Callable[[], Sequence[ActionSpec]] = tuple
    ) -> "Plans":
        """Read every plan below `roots`; a broken file is an error of its plan, never of this.
        `builtin` answers the built-in actions; it may read files.
        """
        catalog = await asyncio.to_thread(load_catalog, roots)
        _log_errors(new_errors(Catalog(), catalog))
        return cls(catalog, roots, builtin)

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

    async def actions(self) -> Sequence[tuple[str | None, ActionSpec]]:
        """Every action that can be called, by name, with its plan; the built-in ones come first and
        have none.
        """
        plans = self.list()
        found: list[tuple[str | None, ActionSpec]] = [
            (None, spec) for spec in await asyncio.to_thread(self._builtin)
        ]
        found += [(plan.name, spec) for plan in plans for _, spec in sorted(plan.actions.items())]
        return found

    async def validate(
        self,
        document: str,
        *,
        plan_name: str | None,
        file: str | None,
        sees: Callable[[str], bool],
    ) -> tuple[LoadError, ...]:
        """What would be wrong with `document` as a file of tasks, in the order of its lines; what
        it asks of plans that are not seen is not judged.

        Raises:
            BadReference: no plan of this name is loaded.
        """
        check = partial(check_document, plan_name=plan_name, file=file or DEFAULT_FILE, sees=sees)
        try:
            return await asyncio.to_thread(check, self._catalog, document)
        except PlanNotFound as error:
            raise BadReference(str(error)) from error

    async def read(self) -> Catalog:
        """Every plan as it is on disk now; those that are loaded stay."""
        return await asyncio.to_thread(load_catalog, self._roots)

    async def read_again(self, changed: Collection[Path] | None) -> Catalog:
        """The plans with those read again in which a path has `changed` (None: all); what is broken
        now stays as it was.
        """
        return await asyncio.to_thread(reload_catalog, self._catalog, self._roots, changed)

    def replace(self, catalog: Catalog) -> None:
        """Let `catalog` be the plans that are loaded; tell the log what is wrong with it now."""
        _log_errors(new_errors(self._catalog, catalog))
        self._catalog = catalog

    def folders(self) -> tuple[Path, ...]:
        """The folders in which something may change: the roots, and plans that are linked to."""
        linked = (
            root
            for root in map(Path, self._catalog.by_root)
            if not any(root.is_relative_to(each) for each in self._roots)
        )
        return (*self._roots, *linked)


class OfPlans(Protocol):
    """What is made of the plans that are loaded: schedules and events."""

    async def plans_changed(self) -> None:
        """Be that of the plans as they are loaded now; raises StoreUnavailable."""
        ...


TellHosts = Callable[[PlanDigests], AbstractAsyncContextManager[None]]
"""Lets the other hosts know which plans this one has, before the context begins, and takes it back
if the context fails; raises StoreUnavailable.
"""


def _tell_nobody(_: PlanDigests) -> AbstractAsyncContextManager[None]:
    """There are no other hosts."""
    return nullcontext()


class PlanReload:
    """Reads plans anew, and lets everybody know who works with them."""

    def __init__(
        self, plans: Plans, runs: RunStore, dispatcher: Dispatcher, triggers: OfPlans
    ) -> None:
        self._plans = plans
        self._runs = runs
        self._dispatcher = dispatcher
        self._triggers = triggers
        self._tell_hosts: TellHosts = _tell_nobody
        self._turn = asyncio.Lock()
        self.is_unfinished = False
        """Whether schedules and events are not yet those of the plans that are loaded."""

    async def share(self, tell_hosts: TellHosts) -> None:
        """Let other hosts know of the plans: now, and before a run can be accepted with what a
        reload brings.

        Raises:
            StoreUnavailable: they do not know.
        """
        self._tell_hosts = tell_hosts
        async with tell_hosts(self._plans.catalog().digests()):
            pass

    async def __call__(self, *, force: bool) -> None:
        """Read every plan; new attempts see the actions as they are now, schedules and events are
        those of now.

        Raises:
            RunsActive: runs are under way, and it is not forced.
        """
        active = len(await self._runs.list_active())
        if active and not force:
            raise RunsActive(active)
        async with self._turn:
            catalog = await self._plans.read()
            async with self._tell_hosts(catalog.digests()):
                await self._dispatcher.reload(partial(self._plans.replace, catalog))
            await self._tell_who_waits()

    async def changed(self, paths: Collection[Path] | None) -> None:
        """Read the plans again in which one of `paths` has changed (None: all of them), also while
        runs are active. What is broken now stays as it was. Workers are replaced only if they could
        not execute what is loaded now.

        Raises:
            StoreUnavailable: not all is as the plans are yet: call it again with the same paths.
        """
        async with self._turn:
            before = self._plans.catalog()
            catalog = await self._plans.read_again(paths)
            is_other = differ(before, catalog)
            must_change = workers_must_change(before, catalog)
            if not (is_other or must_change or self.is_unfinished):
                return
            async with self._tell_hosts(catalog.digests()) if is_other else nullcontext():
                if must_change:
                    await self._dispatcher.reload(partial(self._plans.replace, catalog))
                elif is_other:
                    self._plans.replace(catalog)
            await self._tell_who_waits()
        _log.info(
            "plans reloaded",
            extra={"action": "plans_reloaded", "plans": changed_plans(before, catalog)},
        )

    async def _tell_who_waits(self) -> None:
        self._dispatcher.look_again()  # runs that were left to other hosts may be its own now
        self.is_unfinished = True
        await self._triggers.plans_changed()
        self.is_unfinished = False


def _log_errors(found: Sequence[tuple[str | None, LoadError]]) -> None:
    """Tell the log what could not be loaded, up to a limit, each with the plan that it is in."""
    for plan_name, error in found[:_MOST_TOLD]:
        place = error.place if plan_name is None else f"{plan_name}/{error.place}"
        told = {"action": "load_error", "place": place, "reason": error.message}
        _log.warning("load error", extra=told)
    if len(found) > _MOST_TOLD:
        more = {"action": "more_load_errors", "count": len(found) - _MOST_TOLD}
        _log.warning("more load errors", extra=more)


def inputs_schema(task: Task) -> dict[str, Any]:
    """JSON Schema of the inputs that a run of `task` must be given."""
    return json_schema.inputs_schema(task.meta.inputs)


def task_file_schema() -> dict[str, Any]:
    """JSON Schema of task files."""
    return task_schema()
