"""The log hub where several servers share a database: one sequence, with what others have stored.

Imports aura_aio.logs, model and what its tests share.
"""

from aura_aio.logs.hub import AT_ONCE, LogHub
from aura_aio.model.log import LogFilter
from tests.streams.held_store import HeldStore
from tests.unit.logs.lines import everything, line, seqs
from tests.waiting import until

ALL = LogFilter()


async def test_what_other_servers_have_stored_is_published_in_its_place(
    hub: LogHub, store: HeldStore
) -> None:
    monitor = hub.subscribe(ALL, buffer_lines=10_000)
    await hub.put([line("own 1")])
    await store.append([line("other 2"), line("other 3")])
    await hub.put([line("own 4"), line("own 5")])
    (newest,) = await store.append([line("other 6")])
    hub.others_wrote(newest.seq)
    settled = hub.settled()
    assert settled is not None
    await settled
    assert (hub.seq, hub.settled()) == (6, None)
    hub.others_wrote(3)
    assert hub.settled() is None
    hub.unsubscribe(monitor)
    assert seqs(await everything(monitor)) == [1, 2, 3, 4, 5, 6]


async def test_more_than_fits_at_once_and_nobody_who_listens(
    hub: LogHub, store: HeldStore, actions: list[str]
) -> None:
    entries = await store.append([line(str(n)) for n in range(AT_ONCE)])
    hub.others_wrote(entries[-1].seq)
    await until(lambda: hub.seq == AT_ONCE)
    monitor = hub.subscribe(ALL, buffer_lines=10_000)
    entries = await store.append([line(str(n)) for n in range(AT_ONCE + 5)])
    hub.others_wrote(entries[-1].seq)
    await until(lambda: hub.seq == entries[-1].seq)
    hub.unsubscribe(monitor)
    expected = list(range(AT_ONCE + 1, 2 * AT_ONCE + 6))
    assert seqs(await everything(monitor)) == expected
    assert actions == []
