"""The actions that every plan has, one module a family.

May import catalog (for `LoadedAction`), model, and of `engine` `children`, `context`, `events`,
`failures` and `results`.
"""

from typing import Final

from aura_aio.catalog.actions import LoadedAction
from aura_aio.engine.builtin import data, events, files, flow, http, runs, shell
from aura_aio.model.plan import Isolation
from aura_aio.model.run import RunError

_OFF: Final = RunError(
    "ActionOff",
    "The action 'shell.run' is off, since it runs any program: start the server with "
    "--allow-shell to turn it on.",
)


def builtin_actions(*, allow_shell: bool) -> dict[str, LoadedAction]:
    """The built-in actions, by name; `shell.run` can be called only if it is allowed."""
    actions = {
        name: LoadedAction(name, function)
        for family in (data, events, files, flow, http, runs)
        for name, function in family.ACTIONS.items()
    }
    for name, function in shell.ACTIONS.items():
        failure = None if allow_shell else _OFF
        actions[name] = LoadedAction(name, function, failure=failure, isolation=Isolation.PROCESS)
    return actions


BUILTIN: Final = builtin_actions(allow_shell=False)
"""The built-in actions, by name, with none that must be turned on."""
