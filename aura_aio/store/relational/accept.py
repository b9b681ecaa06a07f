"""Accepting runs: idempotency, the limit of the queue, the rows.

May import the rest of `store.relational`, the standard library, msgspec and model only.
"""

from collections.abc import Sequence

import msgspec

from aura_aio.model.errors import IdempotencyMismatch, QueueFull
from aura_aio.model.plan import Definition
from aura_aio.model.ports import Accepted, IdempotencyKey
from aura_aio.model.run import RunChanged, StepRecord, Tasklet
from aura_aio.model.states import RunState
from aura_aio.store.relational import sql
from aura_aio.store.relational.rows import is_delayed, json_text, row_of_step, row_of_tasklet
from aura_aio.store.relational.transaction import Place, Transaction

_cids = msgspec.json.Decoder(tuple[str, ...])


class Acceptance(msgspec.Struct, frozen=True):
    """The rules under which runs are accepted; `retention_sec` is that of idempotency keys."""

    queue_limit: int
    retention_sec: float

    def accept(
        self,
        tx: Transaction,
        tasklets: Sequence[Tasklet],
        definitions: Sequence[Definition],
        idempotency: IdempotencyKey | None,
        now: float,
        *,
        finished: Sequence[StepRecord] = (),
    ) -> Accepted:
        """See `RunStore.enqueue`."""
        if idempotency is not None:
            earlier = self._replay(tx, idempotency, now)
            if earlier is not None:
                return earlier
        if tx.queued + len(tasklets) > self.queue_limit:
            raise QueueFull(self.queue_limit)
        rows = [row_of_tasklet(tasklet, now) for tasklet in tasklets]
        tx.define(definitions)
        tx.insert_runs(rows)
        if finished:
            tx.connection.insert(sql.HAND_DOWN, [row_of_step(step) for step in finished])
        for tasklet in tasklets:
            tx.join(Place(tasklet.priority, tasklet.plan_name, is_delayed(tasklet, now)))
            tx.changed(_accepted(tasklet))
        cids = tuple(tasklet.cid for tasklet in tasklets)
        if idempotency is not None:
            self._keep(tx, idempotency, cids, now)
        return Accepted(cids)

    def _replay(self, tx: Transaction, sent: IdempotencyKey, now: float) -> Accepted | None:
        """The first answer, if the key was used before and not too long ago."""
        row = tx.connection.execute(sql.FIND_KEY, (sent.key, now - self.retention_sec)).fetchone()
        if row is None:
            return None
        body_digest, cids, memo = row
        if body_digest != sent.body_digest:
            raise IdempotencyMismatch(sent.key)
        return Accepted(_cids.decode(cids), replayed=True, memo=memo)

    def _keep(
        self, tx: Transaction, sent: IdempotencyKey, cids: tuple[str, ...], now: float
    ) -> None:
        tx.connection.execute(sql.PRUNE_KEYS, (now - self.retention_sec,))
        tx.connection.execute(
            sql.KEEP_KEY, (sent.key, sent.body_digest, json_text(cids), sent.memo, now)
        )


def _accepted(tasklet: Tasklet) -> RunChanged:
    return RunChanged(tasklet.cid, None, RunState.QUEUED, tasklet.attempt, tasklet.accepted_at)
