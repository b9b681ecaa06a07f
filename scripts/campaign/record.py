"""What the server has promised to the campaign's clients.

Imports the standard library only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Record:
    """Every acknowledged request, as the clients have seen it.

    `runs` gives the task of each accepted cid, `keys` the answers to each key,
    `unanswered` the keys of which no answer came: their runs may exist or not.
    `gone` are runs that were cancelled while they were queued, `cancelled` those that were asked to
    end while they ran. `priorities` are the last that were acknowledged, None where a later change
    got no answer.
    """

    runs: dict[str, str] = field(default_factory=dict)
    keys: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    priorities: dict[str, int | None] = field(default_factory=dict)
    requests: int = 0
    refused: int = 0
    lost: int = 0

    def accepted(self, cid: str, task: str, priority: int) -> None:
        """202 was answered for this run."""
        self.runs[cid] = task
        self.priorities.setdefault(cid, priority)

    def answered(self, key: str, cids: Sequence[str]) -> None:
        """202 was answered to the key, with these runs."""
        self.keys.setdefault(key, set()).add(tuple(cids))
        self.unanswered.discard(key)
