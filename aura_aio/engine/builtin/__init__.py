"""The actions that every plan has, one module a family.

May import catalog (for `LoadedAction`), model, and of `engine` `context` and `failures`.
"""

from typing import Final

from aura_aio.catalog.actions import LoadedAction
from aura_aio.engine.builtin import files, flow, http

BUILTIN: Final = {
    name: LoadedAction(name, function)
    for family in (flow, files, http)
    for name, function in family.ACTIONS.items()
}
"""The built-in actions, by name."""
