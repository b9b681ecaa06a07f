"""What the server has told a campaign of: cids, schedules and tokens that later requests can name.

Schemathesis has such a memory itself, but draws from it while Hypothesis draws: as soon as there is
one more or one less, Hypothesis finds that the same choices mean something else, and ends the
examples of that operation, of which the tool says nothing. This one is asked after the drawing.
Imports the standard library only.
"""

from collections import deque
from typing import Any, Final
from urllib.parse import quote

FINISHED_CID: Final = "TEST_FINISHED_CID"
"""The variable with the cid of a run that has finished: its stream of events ends by itself."""

CALLBACK_HOST: Final = "hooks.invalid"
"""The only host that the server of the campaign may call back, which no network has."""

MADE_BY: Final = {
    "runTask": ("cid", ("cid",)),
    "insertIntoQueue": ("cid", ("cid",)),
    "retryTask": ("cid", ("cid",)),
    "runScheduleNow": ("cid", ("cid",)),
    "createSchedule": ("schedule_id", ("id",)),
    "createToken": ("token_id", ("token", "id")),
}
"""By operation: the name of the parameter that takes it, and where it stands in the answer."""

TAKEN_BY: Final = {"deleteSchedule": "schedule_id", "revokeToken": "token_id"}
MOST, FEWEST = 32, 8
"""How many of each are kept, and left by the operations that take them away."""


class KnownNames:
    """The last of each kind, and which of them a request names."""

    def __init__(self, **always: str) -> None:
        self._always = always
        self._made = {name: deque[str](maxlen=MOST) for name, _ in MADE_BY.values()}

    def made(self, operation_id: str, answer: Any) -> None:
        """It has made one, as it answers."""
        name, where = MADE_BY[operation_id]
        for key in where:
            answer = answer[key]
        self._made[name].append(quote(answer, safe=""))

    def taken(self, operation_id: str, path: dict[str, Any]) -> None:
        """It has taken that away which these path parameters name."""
        name = TAKEN_BY[operation_id]
        if path[name] in self._made[name]:
            self._made[name].remove(path[name])

    def one(self, operation_id: str, name: str, choice: int) -> str | None:
        """For the parameter `name` of a request, as it stands in an address; None if none is known.
        Always the same for the same choice, as long as nothing is learnt.
        """
        made = self._made.get(name, ())
        if len(made) > (FEWEST if TAKEN_BY.get(operation_id) == name else 0):
            return made[choice % len(made)]
        return self._always.get(name)
