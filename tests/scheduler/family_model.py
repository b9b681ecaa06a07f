"""What is promised of children on top of what is of every run: `aura.run_task` in the model.

Imports aura_aio.model and the rest of the model.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from aura_aio.model.children import check_depth
from aura_aio.model.errors import ParentEnded
from aura_aio.model.run import CancelRequest, OnCrash, RunChanged
from aura_aio.model.states import CANCELLABLE, HOLDS_A_SLOT, TERMINAL, RunState
from tests.scheduler.modelled import Asked, Call, Modelled
from tests.scheduler.queue_model import QueueModel

DEPTH_LIMIT = 2


class FamilyModel(QueueModel):
    """Runs that start others. Children need nothing that is limited: tests/unit/model/test_lanes.py
    has those that do.
    """

    def start_children(self, calls: Iterable[Call], cids: Iterator[str]) -> list[str]:
        """Queue the child of each call, or find it."""
        return [self._start_child(call, cids) for call in calls]

    def _start_child(self, call: Call, cids: Iterator[str]) -> str:
        parent = self.runs.get(call.parent_cid)
        if parent is None:
            raise ParentEnded("")
        check_depth(parent.depth + 1, DEPTH_LIMIT)
        if (parent.state, parent.attempt) != (RunState.RUNNING, call.attempt):
            raise ParentEnded("")
        anew = call.attempt if parent.kind.on_crash is OnCrash.RESTART else None
        key = (call.step, call.turn, anew)
        for run in self.children(parent.cid):
            if run.call == key:
                return run.cid
        child = Asked(
            call.kind,
            parent.priority,
            parent_cid=parent.cid,
            depth=parent.depth + 1,
            call=key,
        )
        (cid,) = self.accept([child], None, cids)
        return cid

    def children(self, cid: str) -> list[Modelled]:
        """Every run that this one has started."""
        return [run for run in self.runs.values() if run.parent_cid == cid]

    def follow(self, begun: int) -> None:
        """Children end with their parent, unless that has done what it was to do."""
        for fact in iter(self._facts_from(begun)):
            if not self._gives_up(fact):
                continue
            asked = self.runs[fact.cid].cancel or CancelRequest(requested_at=fact.at)
            for child in self.children(fact.cid):
                if child.state in CANCELLABLE:
                    self._cancel(child.cid, replace(asked, reason=f"Its parent {fact.cid}"))

    def _facts_from(self, index: int) -> Iterator[RunChanged]:
        while index < len(self.facts):
            yield self.facts[index]
            index += 1

    def _gives_up(self, fact: RunChanged) -> bool:
        if fact.target is RunState.QUEUED and fact.source in HOLDS_A_SLOT:
            return self.runs[fact.cid].kind.on_crash is OnCrash.RESTART
        ended = fact.target in TERMINAL and fact.target is not RunState.SUCCEEDED
        return ended or fact.target is RunState.CANCELLING
