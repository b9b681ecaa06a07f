"""The server's own records in the log stream.

Imports aura_aio.logs, model and pytest.
"""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator

import pytest

from aura_aio.logs.handler import LogHubHandler
from aura_aio.logs.hub import LogHub
from aura_aio.model.access import SECRET_PREFIX
from aura_aio.model.log import LogFilter, LogLevel, LogLine
from tests.streams.held_store import HeldStore
from tests.unit.logs.lines import CID, Odd
from tests.waiting import until


@pytest.fixture
async def attached(hub: LogHub) -> AsyncIterator[LogHubHandler]:
    """A handler that listens, also to records of level info."""
    handler = LogHubHandler(hub)
    handler.attach()
    before = [(logger, logger.level) for logger in map(logging.getLogger, ("aura", "aiohttp"))]
    for logger, _ in before:
        logger.setLevel(logging.DEBUG)
    yield handler
    for logger, level in before:
        logger.setLevel(level)
    handler.detach()


async def lines(hub: LogHub, store: HeldStore, count: int) -> list[LogLine]:
    """The first `count` lines, once they are stored."""
    await until(lambda: hub.counters.stored >= count)
    entries = await store.read(LogFilter(), after=0, up_to=None, limit=count + 1)
    return [entry.line for entry in entries]


async def test_a_token_does_not_get_into_the_log(
    attached: LogHubHandler, hub: LogHub, store: HeldStore
) -> None:
    secret = SECRET_PREFIX + 64 * "a"
    try:
        raise ValueError(f"what is {secret}?")
    except ValueError:
        where = {"path": f"/x?token={secret}", "cid": CID}
        logging.getLogger("aura.api").exception("no %s", secret, extra=where)
    (line,) = await lines(hub, store, 1)
    assert line.message == f"no {SECRET_PREFIX}…"
    assert line.data is not None
    assert line.data["path"] == f"/x?token={SECRET_PREFIX}…"
    assert secret not in json.dumps(line.data)


async def test_a_record_becomes_a_line(
    attached: LogHubHandler, hub: LogHub, store: HeldStore
) -> None:
    logging.getLogger("aura.dispatch").warning(
        "worker %s lost",
        "w1",
        extra={"action": "worker_lost", "cid": CID, "attempt": 2, "step": "say", "code": -9},
    )
    (line,) = await lines(hub, store, 1)
    assert (line.level, line.logger, line.message) == (
        LogLevel.WARNING,
        "aura.dispatch",
        "worker w1 lost",
    )
    assert (line.cid, line.attempt, line.step, line.plan_name) == (CID, 2, "say", None)
    assert line.data == {"action": "worker_lost", "code": -9}


async def test_a_record_without_extras_has_no_data(
    attached: LogHubHandler, hub: LogHub, store: HeldStore
) -> None:
    logging.getLogger("aura").info("plain")
    (line,) = await lines(hub, store, 1)
    assert line.data is None


async def test_an_exception_comes_with_its_traceback(
    attached: LogHubHandler, hub: LogHub, store: HeldStore
) -> None:
    try:
        raise ValueError("what went wrong")
    except ValueError:
        logging.getLogger("aura.api").exception("request failed")
    (line,) = await lines(hub, store, 1)
    assert line.data is not None
    assert line.data["error"] == "ValueError: what went wrong"
    assert "test_an_exception_comes_with_its_traceback" in line.data["traceback"]


async def test_extras_of_any_kind(attached: LogHubHandler, hub: LogHub, store: HeldStore) -> None:
    extra = {"odd": Odd(), "cid": 7, "attempt": "x", "names": ("a", "b"), "bad": "\udcff"}
    logging.getLogger("aura").info("odd", extra=extra)
    (line,) = await lines(hub, store, 1)
    assert line.data == {
        "odd": r"<Odd \udce4>",
        "cid": 7,
        "attempt": "x",
        "names": ["a", "b"],
        "bad": r"\udcff",
    }
    json.dumps(line.data)


async def test_which_loggers_are_heard(
    attached: LogHubHandler, hub: LogHub, store: HeldStore
) -> None:
    logging.getLogger("auralike").warning("no")
    logging.getLogger("aiohttp.access").info("no")
    logging.getLogger("aura.store.sqlite").info("no: it may come from storing a line")
    logging.getLogger("aura.store.sqlite").warning("yes 1")
    logging.getLogger("aiohttp.server").warning("yes 2")
    logging.getLogger("aura.x").debug("yes 3")
    assert [line.message for line in await lines(hub, store, 3)] == ["yes 1", "yes 2", "yes 3"]


async def test_records_of_threads(attached: LogHubHandler, hub: LogHub, store: HeldStore) -> None:
    def work() -> None:
        for number in range(50):
            logging.getLogger("aura.thread").info("line %s", number)

    await asyncio.to_thread(work)
    assert [line.message for line in await lines(hub, store, 50)] == [
        f"line {number}" for number in range(50)
    ]


async def test_what_the_listener_causes_does_not_come_back(
    attached: LogHubHandler, hub: LogHub, store: HeldStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = store.append
    noise = logging.getLogger("aura.noise")

    async def noisy(lines: list[LogLine]) -> object:
        noise.warning("appending")
        return await append(lines)

    monkeypatch.setattr(store, "append", noisy)
    for number in range(10):
        noise.info("line %s", number)
        settled = hub.settled()
        assert settled is not None
        await settled
    assert hub.counters.stored == 10


async def test_a_full_queue_refuses_and_raises_nothing(
    attached: LogHubHandler, hub: LogHub, store: HeldStore
) -> None:
    store.writing.clear()
    for _ in range(1_500):
        logging.getLogger("aura").info("many")
    assert hub.counters.refused == 500
    store.writing.set()


async def test_a_broken_record_breaks_nobody(
    attached: LogHubHandler,
    hub: LogHub,
    store: HeldStore,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # pytest's own handler at the root raises for such a record.
    monkeypatch.setattr(logging.getLogger("aura"), "propagate", False)
    logging.getLogger("aura").info("%d things", "no number")
    logging.getLogger("aura").info("fine")
    assert [line.message for line in await lines(hub, store, 1)] == ["fine"]
    assert "no number" in capsys.readouterr().err


async def test_after_detach_nothing_comes(attached: LogHubHandler, hub: LogHub) -> None:
    attached.detach()
    logging.getLogger("aura").info("unheard")
    assert hub.settled() is None


async def test_a_thread_that_outlives_the_loop_may_go_on_logging() -> None:
    class Nothing:
        def put_nowait(self, line: LogLine) -> bool:
            raise AssertionError(line)

    loop = asyncio.new_event_loop()
    made: list[LogHubHandler] = []

    async def make() -> None:
        made.append(LogHubHandler(Nothing()))  # type: ignore[arg-type]

    thread = threading.Thread(target=lambda: (loop.run_until_complete(make()), loop.close()))
    thread.start()
    await asyncio.to_thread(thread.join)
    made[0].handle(logging.makeLogRecord({"name": "aura", "levelno": logging.ERROR}))
