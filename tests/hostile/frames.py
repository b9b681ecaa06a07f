"""What is sent to the log stream once it is open: frames that are none, messages that mean nothing.

Imports `wire` and the standard library only.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from tests.hostile.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame

NORMAL, BREACH, NO_TEXT, TOO_BIG = 1000, 1002, 1007, 1009


@dataclass(frozen=True)
class Said:
    """A conversation. With `codes` the server closes it, with one of these, or without a word where
    none is among them; else it answers `error`, and goes on.
    """

    name: str
    sent: bytes
    codes: frozenset[int | None] = frozenset()
    headers: tuple[str, ...] = ()


def cases() -> Iterator[Said]:
    """All of them."""
    for name, sent in _broken().items():
        yield Said(f"frame: {name}", sent, frozenset({BREACH}))
    for name, sent in _closes().items():
        yield Said(f"close: {name}", sent, frozenset({BREACH, NO_TEXT, NORMAL}))
    for name, sent in _no_text().items():
        yield Said(f"text: {name}", sent, frozenset({NO_TEXT}))
    for name, sent in _too_big().items():
        yield Said(f"large: {name}", sent, frozenset({TOO_BIG, None}))
    for name, text in _meaningless().items():
        yield Said(f"message: {name}", frame(TEXT, text))
    yield Said("message: binary", frame(BINARY, b'{"type": "ping"}'))
    bomb = zlib.compress(bytes(10 * 2**20))[2:-4]
    for offer in ("permessage-deflate", "permessage-deflate; server_max_window_bits=99", "x-foo"):
        headers = (f"Sec-WebSocket-Extensions: {offer}",)
        yield Said(f"packed: {offer}", frame(TEXT, bomb, rsv=4), frozenset({BREACH}), headers)


def _broken() -> dict[str, bytes]:
    ping = b'{"type": "ping"}'
    rsv = {f"reserved bits {bits:03b}": frame(TEXT, ping, rsv=bits) for bits in range(1, 8)}
    opcodes = {
        f"opcode {code:x}": frame(code, ping) for code in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    }
    controls = {
        f"{name} {what}": sent
        for name, code in (("close", CLOSE), ("ping", PING), ("pong", PONG))
        for what, sent in {
            "in fragments": frame(code, b"", fin=False),
            "of 126 bytes": frame(code, bytes(126)),
            "of 70,000 bytes": frame(code, bytes(70_000)),
            "with reserved bits": frame(code, b"", rsv=4),
        }.items()
    }
    return rsv | opcodes | controls | {
        "not masked": frame(TEXT, ping, masked=False),
        "ping that is not masked": frame(PING, b"", masked=False),
        "close that is not masked": frame(CLOSE, b"\x03\xe8", masked=False),
        "continuation of nothing": frame(CONTINUATION, ping),
        "continuation of nothing that goes on": frame(CONTINUATION, ping, fin=False),
        "message within a message": frame(TEXT, b"{", fin=False) + frame(TEXT, ping),
        "fragment within a message": frame(TEXT, b"{", fin=False) + frame(BINARY, b"", fin=False),
        "not masked, after one that is": frame(TEXT, ping) + frame(TEXT, ping, masked=False),
        "HTTP": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "all bytes": bytes(range(255, -1, -1)),
    }  # fmt: skip


def _closes() -> dict[str, bytes]:
    codes = (0, 1, 999, 1004, 1005, 1006, 1015, 2999, 5_000, 65_535)
    return {f"code {code}": frame(CLOSE, code.to_bytes(2, "big")) for code in codes} | {
        "one byte": frame(CLOSE, b"\x03"),
        "a reason that is no text": frame(CLOSE, b"\x03\xe8\xff\xfe"),
        "and a message": frame(CLOSE, b"\x03\xe8") + frame(TEXT, b"{}"),
    }


def _no_text() -> dict[str, bytes]:
    texts = {
        "byte FF": b"\xff",
        "cut sequence": b"\xe2\x82",
        "surrogate": b"\xed\xa0\x80",
        "overlong": b"\xc0\xaf",
        "beyond Unicode": b"\xf4\x90\x80\x80",
        "in a message": b'{"type": "ping", "x": "\xff"}',
    }
    return {name: frame(TEXT, text) for name, text in texts.items()} | {
        "cut at a fragment's end": frame(TEXT, b"\xe2\x82", fin=False) + frame(CONTINUATION, b"x"),
    }


def _too_big() -> dict[str, bytes]:
    part = bytes(30_000)
    return {
        "text of 70,000 bytes": frame(TEXT, b" " * 70_000),
        "binary of 70,000 bytes": frame(BINARY, bytes(70_000)),
        "text of 10 MiB": frame(TEXT, b" " * 10 * 2**20),
        "three fragments": frame(BINARY, part, fin=False)
        + frame(CONTINUATION, part, fin=False) * 2,
        "said to be of 2^62 bytes": frame(TEXT, b"x", length=b"\xff" + (2**62).to_bytes(8, "big")),
        "said to be of 2^63 bytes": frame(TEXT, b"x", length=b"\xff" + (2**63).to_bytes(8, "big")),
        "said to be of 2^64-1 bytes": frame(TEXT, b"x", length=b"\xff" + b"\xff" * 8),
    }


def _meaningless() -> dict[str, bytes]:
    deep = 30_000
    texts = {
        "nothing": b"",
        "no JSON": b"nonsense",
        "half of it": b'{"type": "subscribe"',
        "NaN": b'{"type": "subscribe", "since": NaN}',
        "Infinity": b'{"type": "subscribe", "since": Infinity}',
        "a huge number": b'{"type": "subscribe", "since": ' + b"9" * 5_000 + b"}",
        "1e999": b'{"type": "subscribe", "since": 1e999}',
        "lone surrogate": rb'{"type": "subscribe", "plan_name": "\ud800"}',
        "the type twice": b'{"type": "subscribe", "type": "ping"}',
        "a filter twice": b'{"type": "subscribe", "plan_name": "a", "plan_name": "b"}',
        "deep lists": b"[" * deep + b"]" * deep,
        "deep objects": b'{"a":' * (deep // 3) + b"1" + b"}" * (deep // 3),
        "a deep filter": b'{"type": "subscribe", "cid": ' + b"[" * deep + b"]" * deep + b"}",
        "two messages": b'{"type": "ping"}{"type": "ping"}',
        "NUL at the end": b'{"type": "ping"}\0',
        "byte order mark": b'\xef\xbb\xbf{"type": "ping"}',
        "30,000 properties": b'{"type": "ping",%s}' % b",".join([b'"x":1'] * 8_000),
    }
    values = ["?", 1.5, -1, True, [], {}, None, 10**30]
    filters = ("level", "cid", "plan_name", "task_name", "since", "tail", "batch", "zzz")
    good = [("plan_name", "?"), ("task_name", "?")]
    wrong = {
        f"{name} {json.dumps(value)[:12]}": json.dumps({"type": "subscribe", name: value}).encode()
        for name in filters
        for value in values
        if (name, value) not in [("batch", True), *good]
    }
    types = {
        f"type {json.dumps(value)[:12]}": json.dumps({"type": value}).encode()
        for value in (*values, "log", "hello", "bye", "SUBSCRIBE", "ping ", "")
    }
    others = {f"a {type(value).__name__}": json.dumps(value).encode() for value in values}
    more = {"ping with more": b'{"type": "ping", "payload": {}}', "no type": b"{}"}
    return texts | wrong | types | others | more
