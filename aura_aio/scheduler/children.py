"""Child runs: admitted as any run, and placed below their parent.

May import the rest of `scheduler`, catalog and model; stores come in as ports.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from msgspec.structs import replace

from aura_aio.model import json
from aura_aio.model.children import ChildRequest, ChildStore, check_depth
from aura_aio.model.clock import Clock
from aura_aio.model.errors import ParentEnded, RunFinished, RunNotFound
from aura_aio.model.limits import Limits, limits_of_child
from aura_aio.model.origin import FromParent, decode_origin
from aura_aio.model.ports import RunStore
from aura_aio.model.run import CancelRequest, OnCrash, Run
from aura_aio.scheduler.admission import Admission, RunRequest


class Children:
    """Implements `model.children.Children`."""

    def __init__(
        self,
        store: ChildStore,
        runs: RunStore,
        admission: Admission,
        clock: Clock,
        *,
        depth_limit: int,
    ) -> None:
        self._store = store
        self._runs = runs
        self._admission = admission
        self._clock = clock
        self._depth_limit = depth_limit

    async def start(self, request: ChildRequest) -> str:
        """Queue a child run, or find the one that this call had queued before; answers its cid.

        Raises:
            BadReference, InputsRejected, InputsTooLarge, TooDeep, ParentEnded, QueueFull,
            StoreUnavailable: see `model.children`.
        """
        family = await self._store.family(request.parent_cid)
        if not family:
            raise ParentEnded(f"There is no run {request.parent_cid!r}: it gets no children.")
        parent = family[0]
        depth = parent.depth + 1
        check_depth(depth, self._depth_limit)
        admitted = self._admission.admit(
            RunRequest(
                plan_name=request.plan_name,
                task_name=request.task_name,
                inputs=json.loads(request.inputs),
                passed_on=request.passed_on,
                priority=parent.priority if request.priority is None else request.priority,
                timeout_sec=request.timeout_sec,
                labels=request.labels,
                trace=request.trace,
            ),
            origin=_origin(request, parent),
            depth=depth,
        )
        tasklet = replace(
            admitted.tasklet,
            parent_cid=parent.cid,
            limits=limits_of_child(
                admitted.tasklet.limits, tuple(_waiting(family, waits=request.wait))
            ),
        )
        return await self._store.enqueue_child(
            tasklet, admitted.definition, attempt=request.attempt
        )

    async def cancel(self, cid: str, *, reason: str) -> None:
        """Cancel a child run that nobody waits for any more; nothing, if it has ended.

        Raises:
            StoreUnavailable: it could not be made durable.
        """
        request = CancelRequest(requested_at=self._clock.now(), reason=reason)
        with suppress(RunFinished, RunNotFound):
            await self._runs.request_cancel(cid, request)


def _origin(request: ChildRequest, parent: Run) -> FromParent:
    """Where the child comes from; the same in each attempt that may find it again."""
    return FromParent(
        cid=parent.cid,
        step=request.step,
        turn=request.turn,
        tries=request.tries,
        attempt=request.attempt if parent.on_crash is OnCrash.RESTART else None,
        wait=request.wait,
    )


def _waiting(family: Sequence[Run], *, waits: bool) -> Iterator[tuple[str, Limits]]:
    """The runs of `family` that will wait for the child, directly or through others, with what
    they hold: only for these it must not wait in turn.
    """
    for run in family:
        if not waits:
            return
        yield run.cid, run.limits
        origin = decode_origin(run.origin)
        waits = isinstance(origin, FromParent) and origin.wait
