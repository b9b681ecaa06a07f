"""Which actions a task may call, and what is meant by a name that is none of them.

May import model, and of `catalog` `builtin_actions` and `references`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from aura_aio.catalog.builtin_actions import BUILTIN_ACTIONS
from aura_aio.catalog.references import split_action
from aura_aio.model.plan import ActionSpec, Signature
from aura_aio.model.suggestions import close_names, did_you_mean


class ActionNames:
    """The actions that the tasks of a plan may call: its own, built-in ones, other plans'.

    `actions` are those of all plans, by plan and name. Calls of plans that are not seen are not
    judged, and no name of theirs is suggested. `bare` are functions of the plan that lack the
    decorator, with their files.
    """

    def __init__(
        self,
        plan_name: str,
        actions: Mapping[str, Mapping[str, ActionSpec]],
        sees: Callable[[str], bool] = lambda _: True,
        bare: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._bare = bare
        self._plan_name = plan_name
        self._sees = sees
        self._actions = {
            plan: each for plan, each in actions.items() if plan == plan_name or sees(plan)
        }

    def fault(self, reference: str, isolated: bool) -> str | None:
        """What is wrong with a call of an action, which may be meant to be `isolated`; None if
        nothing is.
        """
        plan, name = split_action(reference)
        if plan is not None:
            return self._fault_in(plan, name)
        own = self._actions[self._plan_name].keys()
        known = own | BUILTIN_ACTIONS.keys()
        if name in known - own and isolated:
            return f"The action {name!r} is built in, and needs no process of its own."
        if name in known:
            return None
        if name in self._bare:
            where = f"There is a function {name!r} in {self._bare[name]}, without @action."
            return f"There is no action {name!r}. {where}"
        elsewhere = [plan for plan, actions in self._actions.items() if name in actions]
        if elsewhere and not close_names(name, known):
            return f"There is no action {name!r}. Did you mean '{elsewhere[0]}/{name}'?"
        return f"There is no action {name!r}.{did_you_mean(name, known, most=20)}"

    def signature(self, reference: str) -> Signature | None:
        """What an action takes; None if that is not sure, or there is no such action."""
        plan, name = split_action(reference)
        spec = self._actions.get(self._plan_name if plan is None else plan, {}).get(name)
        if spec is not None:
            return spec.signature
        return BUILTIN_ACTIONS.get(name) if plan is None else None

    def _fault_in(self, plan: str, name: str) -> str | None:
        known = self._actions.get(plan)
        if known is None and not self._sees(plan):
            return None
        if known is None:
            return f"There is no plan {plan!r}.{did_you_mean(plan, self._actions)}"
        if name not in known:
            return f"The plan {plan!r} has no action {name!r}.{did_you_mean(name, known)}"
        return None
