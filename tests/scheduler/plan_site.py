"""The plans of a Scheduler, with all that is told of them.

Imports aura_aio's scheduler, catalog and model, and `bench`.
"""

from collections.abc import Callable
from pathlib import Path

from aura_aio.model.errors import StoreUnavailable
from aura_aio.scheduler.hot_reload import HotReload
from aura_aio.scheduler.plans import PlanReload, Plans
from aura_aio.scheduler.triggers import Triggers
from tests.scheduler.bench import STEP
from tests.scheduler.subject import Hands, Subject

TITLED = f"meta: {{title: %s}}\n{STEP}"


class Told(Triggers):
    """Schedules and events that note when the plans have changed, once the store is there."""

    def __init__(self) -> None:
        self.times = 0
        self.store_is_there = True

    async def plans_changed(self) -> None:
        """Note it."""
        self.times += 1
        if not self.store_is_there:
            raise StoreUnavailable("It is locked.")


class Loader(Hands):
    """Notes how often its workers were to load the plans anew."""

    def __init__(self) -> None:
        super().__init__()
        self.reloads = self.looks = 0

    def look_again(self) -> None:
        """Note that runs may have become its own."""
        self.looks += 1

    async def reload(self, switch: Callable[[], None]) -> None:
        """Note it, and switch."""
        self.reloads += 1
        await super().reload(switch)


class Site:
    """The plans `p` and `q`, with all that is told of them."""

    def __init__(self, root: Path, plans: Plans, subject: Subject) -> None:
        self.root = root
        self.plans = plans
        self.subject = subject
        self.triggers = Told()
        self.loader = Loader()
        self.reload = PlanReload(plans, subject.store.runs, self.loader, self.triggers)
        self.hot_reload = HotReload(plans, self.reload)

    def write(self, name: str, text: str) -> Path:
        """Put a file into the plan `p`."""
        path = self.root / "plans" / "p" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def title(self, task_name: str = "t") -> str | None:
        """Of a task of the plan `p`, as it is loaded."""
        return self.plans.task("p", task_name).meta.title

    def told(self) -> tuple[int, int]:
        """How often workers, and schedules and events, were told of new plans."""
        return self.loader.reloads, self.triggers.times
