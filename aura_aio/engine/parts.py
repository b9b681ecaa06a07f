"""What Runners are given by the worker that they run in.

May import model, run_settings, catalog, the standard library, and of `engine` `builtin`,
`children`, `definitions` and `journal`; and `processes`.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from aura_aio.catalog.actions import LoadedAction
from aura_aio.engine.builtin import BUILTIN
from aura_aio.engine.children import ChildRuns
from aura_aio.engine.definitions import Definitions
from aura_aio.engine.events import Events
from aura_aio.engine.journal import Journal
from aura_aio.model.clock import Clock
from aura_aio.processes.spawning import SpawnedProcess
from aura_aio.processes.tree import StartProcess
from aura_aio.run_settings import RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerParts:
    """The parts that all Runners of a worker share.

    `worker` is its name. `data_dir` is the root of all data; a plan's folder is in `plans/` there.
    `actions` gives the action of a plan by the plan's name and its own, or raises KeyError;
    `builtin` are those that every plan has. `threads` is where sync actions run. `grace_sec` is how
    long an action whose time is over may take to end by itself. `secrets` are those that templates
    may use, by name. Without `child_runs` and `events` there are none. `allowed` is what a run may
    use. `start_process` makes the process of a call that wants its own.
    """

    journal: Journal
    clock: Clock
    worker: str
    data_dir: Path
    actions: Callable[[str, str], LoadedAction]
    threads: ThreadPoolExecutor
    child_runs: ChildRuns | None = None
    events: Events | None = None
    grace_sec: float = 10.0
    builtin: Mapping[str, LoadedAction] = field(default_factory=lambda: BUILTIN)
    secrets: Mapping[str, str] = field(default_factory=dict)
    allowed: RunSettings = field(default_factory=RunSettings)
    start_process: StartProcess = SpawnedProcess
    definitions: Definitions = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self,
            "definitions",
            Definitions(self.allowed.template_timeout_sec),
        )
