"""What a monitor sees while things are logged, and what it may say.

Imports aiohttp, model and the parts that tests.streams offers.
"""

import base64
from typing import Any

import pytest
from aiohttp import ClientSession

from aura_aio.api.log_messages import filter_from
from aura_aio.model.errors import RequestInvalid
from aura_aio.model.log import LogFilter, LogLevel, LogLine
from tests.streams.conftest import CID, NO_CID, OTHER_CID, Stream, line
from tests.waiting import until


def messages(payloads: list[Any]) -> list[str]:
    return [payload["message"] for payload in payloads]


async def test_hello_comes_first_then_what_is_logged(stream: Stream) -> None:
    await stream.log("before", "before")
    monitor = await stream.monitor()
    assert await monitor.message("hello") == {"version": "1.2.3", "seq": 2, "oldest_seq": 1}
    assert await monitor.message("caught_up") == {"seq": 2}
    await stream.log("a", cid=CID, plan_name="hello", task_name="greet", step="say", attempt=1)
    assert await monitor.message("log") == {
        "seq": 3,
        "timestamp": "2026-01-31T12:00:00.250000Z",
        "level": "info",
        "logger": "actions.greet",
        "message": "a",
        "cid": CID,
        "plan_name": "hello",
        "task_name": "greet",
        "step": "say",
        "attempt": 1,
    }


async def test_hello_of_an_empty_log(stream: Stream) -> None:
    monitor = await stream.monitor(since=0)
    assert await monitor.message("hello") == {"version": "1.2.3", "seq": 0, "oldest_seq": 1}
    assert await monitor.message("caught_up") == {"seq": 0}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["a", "b", "c", "d"]),
        ({"level": "debug"}, ["a", "b", "c", "d"]),
        ({"level": "warning"}, ["c", "d"]),
        ({"cid": CID}, ["b", "c"]),
        ({"cid": CID, "level": "error"}, ["c"]),
        ({"plan_name": "hello"}, ["b", "d"]),
        ({"plan_name": "hello", "task_name": "greet"}, ["b"]),
        ({"task_name": "greet"}, ["b", "c"]),
    ],
)
async def test_filters(stream: Stream, query: dict[str, str], expected: list[str]) -> None:
    monitor = await stream.live(**query)
    replayed = await stream.monitor(since=0, **query)
    await stream.hub.put(
        [
            line("a", LogLevel.DEBUG),
            line("b", cid=CID, plan_name="hello", task_name="greet"),
            line("c", LogLevel.ERROR, cid=CID, plan_name="other", task_name="greet"),
            line("d", LogLevel.CRITICAL, cid=OTHER_CID, plan_name="hello", task_name="leave"),
        ]
    )
    assert messages(await monitor.logs(len(expected))) == expected
    late = await stream.monitor(since=0, **query)
    await late.message("hello")
    assert messages(await late.logs(len(expected))) == expected
    await late.message("caught_up")
    got = [
        each["payload"]["message"]
        for each in [await replayed.next() for _ in range(2 + len(expected))]
        if each and each["type"] == "log"
    ]
    assert got == expected
    await monitor.say(type="ping")
    await monitor.message("pong")


async def test_ping(stream: Stream) -> None:
    monitor = await stream.live()
    await monitor.say(type="ping")
    assert await monitor.message("pong") == {}


async def test_subscribe_replaces_the_subscription(stream: Stream) -> None:
    monitor = await stream.live(cid=CID)
    await monitor.say(type="subscribe", level="warning")
    assert (await monitor.message("hello"))["seq"] == 0
    await monitor.message("caught_up")
    await stream.hub.put([line("a", cid=CID), line("b", LogLevel.ERROR), line("c")])
    assert messages(await monitor.logs(1)) == ["b"]
    await monitor.say(type="subscribe", since=0)
    await monitor.message("hello")
    assert messages(await monitor.logs(3)) == ["a", "b", "c"]
    assert await monitor.message("caught_up") == {"seq": 3}
    assert stream.hub.counters.monitors == 1


async def test_subscribing_again_and_again(stream: Stream) -> None:
    monitor = await stream.live()
    for _ in range(50):
        await monitor.say(type="subscribe", since=0)
    await stream.log("a")
    await monitor.say(type="ping")
    got = await monitor.up_to("pong")
    assert [each["type"] for each in got].count("hello") == 50
    await monitor.say(type="subscribe", since=0)
    await monitor.up_to("hello")
    assert messages(await monitor.logs(1)) == ["a"]
    await monitor.message("caught_up")
    await stream.log("b")
    assert messages(await monitor.logs(1)) == ["b"]
    assert stream.hub.counters.monitors == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "hello",
        "[]",
        "null",
        "17",
        "{}",
        '{"type": "log"}',
        '{"type": 1}',
        '{"type": "ping", "more": 1}',
        '{"type": "subscribe", "level": "loud"}',
        '{"type": "subscribe", "since": "5"}',
        '{"type": "subscribe", "levle": "error"}',
        '{"type": "subscribe", "cid": null}',
        "[" * 30_000,
        '{"type":"subscribe","data":' + '{"a":' * 5_000,
    ],
)
async def test_what_is_not_understood_is_answered_and_changes_nothing(
    stream: Stream, text: str
) -> None:
    monitor = await stream.live(level="info")
    await monitor.ws.send_str(text)
    problem = await monitor.message("error")
    assert (problem["status"], problem["type"]) == (422, "urn:aura:problem:invalid-request")
    await stream.log("a")
    assert messages(await monitor.logs(1)) == ["a"]


async def test_the_error_says_where_the_fault_is(stream: Stream) -> None:
    monitor = await stream.live()
    await monitor.say(type="subscribe", level="loud")
    problem = await monitor.message("error")
    assert problem["errors"] == [
        {"location": "body", "field": "/level", "message": "Invalid enum value 'loud'"}
    ]


async def test_binary_is_not_understood(stream: Stream) -> None:
    monitor = await stream.live()
    await monitor.ws.send_bytes(b'{"type": "ping"}')
    assert "binary" in (await monitor.message("error"))["detail"]


async def test_a_message_of_64_kib_is_the_longest(stream: Stream) -> None:
    monitor = await stream.live()
    await monitor.ws.send_str("x" * 65_536)
    await monitor.message("error")
    await monitor.ws.send_str("x" * 65_537)
    assert await monitor.rest() == []
    assert monitor.code == 1009
    await until(lambda: stream.manager.monitors == 0)


async def test_what_is_no_utf_8_closes_with_1007(stream: Stream) -> None:
    monitor = await stream.live()
    await monitor.ws.send_frame(b"\xff\xfe", 0x1)  # type: ignore[arg-type]
    assert await monitor.rest() == []
    assert monitor.code == 1007


async def test_an_unknown_cid_at_the_connect_is_told_and_closed(stream: Stream) -> None:
    monitor = await stream.monitor(cid=NO_CID)
    await monitor.message("hello")
    problem = await monitor.message("error")
    assert (problem["status"], problem["type"]) == (404, "urn:aura:problem:run-not-found")
    assert await monitor.rest() == []
    assert monitor.code == 1008


async def test_an_unknown_cid_in_subscribe_changes_nothing(stream: Stream) -> None:
    monitor = await stream.live()
    await monitor.say(type="subscribe", cid=NO_CID)
    assert (await monitor.message("error"))["status"] == 404
    await stream.log("a")
    assert messages(await monitor.logs(1)) == ["a"]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "\x00\x01\x1b[31m",
        "caf\udce9",
        "\ud83d half of a pair",
        "Grüße, 世界 🌍\u2028\u2029",
        '"}]\\',
        "x" * 70_000,
        "ü" * 1_000_000,
    ],
)
async def test_whatever_is_logged_arrives_live_and_replayed_alike(
    stream: Stream, message: str
) -> None:
    live = await stream.live()
    data = {"nan": float("nan"), "\udcff": message[:100], "deep": [{"a": [None, 2**64]}]}
    await stream.hub.put([LogLine(1_769_860_800.0, LogLevel.INFO, "a", message, data=data)])
    await stream.log("next")
    first, second = await live.logs(2)
    assert first["message"] == message.encode("utf-8", "backslashreplace").decode()
    assert second["message"] == "next"
    replayed = await stream.monitor(since=0)
    await replayed.message("hello")
    assert await replayed.logs(2) == [first, second]


async def test_batches(stream: Stream) -> None:
    monitor = await stream.live(batch=1)
    await stream.log("a", "b", "c")
    assert messages(await monitor.message("logs")) == ["a", "b", "c"]
    await monitor.say(type="subscribe", since=1, batch=True)
    await monitor.message("hello")
    assert messages(await monitor.message("logs")) == ["b", "c"]


async def test_without_a_websocket_handshake_426(stream: Stream) -> None:
    async with ClientSession() as session:
        for headers in ({}, {"Upgrade": "websocket"}, {"Connection": "Upgrade"}):
            async with session.get(stream.url, headers=headers) as answer:
                assert answer.status == 426
                assert answer.headers["Upgrade"] == "websocket"
                problem = await answer.json(content_type="application/problem+json")
                assert problem["type"] == "urn:aura:problem:upgrade-required"


def handshake(**changes: str) -> dict[str, str]:
    headers = {
        "Upgrade": "WebSocket",
        "Connection": "keep-alive, Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(b"x" * 16).decode(),
    }
    return headers | {name.replace("_", "-"): value for name, value in changes.items()}


async def test_handshakes(stream: Stream) -> None:
    async with ClientSession() as session:

        async def status(headers: dict[str, str]) -> int:
            async with session.get(stream.url, headers=headers) as answer:
                return answer.status

        assert await status(handshake()) == 101
        assert await status(handshake(Sec_WebSocket_Version="8")) == 426
        assert await status(handshake(Sec_WebSocket_Key="short")) == 400


async def test_a_bad_query_is_refused_before_the_upgrade(stream: Stream) -> None:
    async with (
        ClientSession() as session,
        session.get(stream.url, params={"since": "x"}, headers=handshake()) as answer,
    ):
        assert answer.status == 422
        problem = await answer.json(content_type="application/problem+json")
    assert problem["errors"][0]["field"] == "/since"


async def test_a_monitor_that_leaves_is_forgotten(stream: Stream) -> None:
    polite, rude = await stream.live(cid=CID), await stream.bare_monitor()
    await until(lambda: stream.hub.counters.monitors == 2)
    assert stream.manager.monitors == 2
    await polite.ws.close()
    assert polite.ws.close_code == 1000
    rude.close()
    await until(lambda: stream.manager.monitors == 0)
    assert stream.hub.counters.monitors == 0


def test_the_query_may_be_text_or_typed() -> None:
    text = filter_from({"level": "error", "cid": "x", "since": "5", "tail": "3", "batch": "1"})
    typed = filter_from({"level": LogLevel.ERROR, "cid": "x", "since": 5, "tail": 3, "batch": True})
    assert text == typed
    assert typed.where == LogFilter(level=LogLevel.ERROR, cid="x")
    assert (typed.since, typed.tail, typed.batch) == (5, 3, True)


def test_an_empty_query_wants_everything_from_now_on() -> None:
    asked = filter_from({"cid": None, "ticket": "of another part"})
    assert (asked.where, asked.since, asked.tail, asked.batch) == (LogFilter(), None, None, False)


@pytest.mark.parametrize(
    "query", [{"level": "loud"}, {"since": "-1"}, {"tail": "x"}, {"cid": ""}, {"batch": "2"}]
)
def test_a_value_out_of_bounds_is_named(query: dict[str, str]) -> None:
    with pytest.raises(RequestInvalid) as caught:
        filter_from(query)
    ((place, _),) = caught.value.faults
    assert place == "/" + next(iter(query))
