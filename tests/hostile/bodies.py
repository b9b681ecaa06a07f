"""Bodies that are no JSON, not quite, far too much of it, or packed.

Imports `case` and the standard library only.
"""

import gzip
import zlib
from collections.abc import Iterator

from tests.hostile.case import RUN, Case, named, run

DEEP = 100_000


def cases() -> Iterator[Case]:
    """All of them."""
    texts = {name: run(body=text) for name, text in _texts().items()}
    yield from named("JSON", texts, 400, 422)
    yield from named(
        "deep", {name: run(body=text) for name, text in _deep().items()}, 400, 413, 422
    )
    yield from named("twice", {name: run(body=text) for name, text in TWICE.items()}, 400, 422)
    yield from named("packed", _packed(), 400, 413, 415, 422, silent=True)
    yield from named("type", _types(), 400, 415, 422)


def _valued(value: bytes) -> bytes:
    """A good body but for the value of an input."""
    return b'{"plan_name": "hello", "task_name": "greet", "inputs": {"name": %s}}' % value


NUMBERS = (
    *(
        b"NaN",
        b"-NaN",
        b"Infinity",
        b"-Infinity",
        b"inf",
        b"nan",
        b"1e999",
        b"-1e999",
        b"+1",
        b"01",
    ),
    *(
        b"1.",
        b".5",
        b"0x10",
        b"1_000",
        b"1e",
        b"1e+",
        b"--1",
        b"1/2",
        b"1,5",
        b"1n",
        b"\xef\xbc\x91",
    ),
    b"1e" + b"9" * 1_000,
)
STRINGS = {
    "lone high surrogate": rb'"\ud800"',
    "lone low surrogate": rb'"\udc00"',
    "surrogates in the wrong order": rb'"\udc00\ud800"',
    "high surrogate and a letter": rb'"\ud800a"',
    "high surrogate and an escape": rb'"\ud800\n"',
    "half an escape": rb'"\u12"',
    "escape of no hex": rb'"\uzzzz"',
    "escape of nothing": rb'"\x41"',
    "escape of a quote only": rb'"\"',
    "raw surrogate": b'"\xed\xa0\x80"',
    "raw surrogate pair": b'"\xed\xa0\xbd\xed\xb8\x80"',
    "overlong slash": b'"\xc0\xaf"',
    "overlong NUL": b'"\xc0\x80"',
    "overlong of three": b'"\xe0\x80\xaf"',
    "overlong of four": b'"\xf0\x80\x80\xaf"',
    "beyond Unicode": b'"\xf4\x90\x80\x80"',
    "five bytes": b'"\xf8\x88\x80\x80\x80"',
    "lone continuation": b'"\x80"',
    "cut sequence": b'"\xe2\x82"',
    "Latin-1": b'"J\xfcrgen"',
    "bytes FE and FF": b'"\xfe\xff"',
    "NUL": b'"a\0b"',
    "line feed": b'"a\nb"',
    "tab": b'"a\tb"',
    "escape code": b'"\x1b[31m"',
    "single quotes": b"'Ada'",
    "no quotes": b"Ada",
    "no end": b'"Ada',
    "triple quotes": b'"""Ada"""',
    "back quotes": b"`Ada`",
}
DOCUMENTS = {
    "a space": b" ",
    "NUL": b"\0",
    "a bracket": b"{",
    "half of it": RUN[:30],
    "two": RUN + RUN,
    "two lines": RUN + b"\n" + RUN,
    "and a comma": RUN + b",",
    "and NUL": RUN + b"\0",
    "comma at the end": RUN[:-1] + b",}",
    "comma at the beginning": b"{," + RUN[1:],
    "no colon": b'{"plan_name" "hello"}',
    "two colons": b'{"plan_name":: "hello"}',
    "name without quotes": b'{plan_name: "hello", "task_name": "greet"}',
    "name that is a number": b'{1: "hello"}',
    "name that is null": b"{null: 1}",
    "comment": b"/* x */" + RUN,
    "comment of a line": b"// x\n" + RUN,
    "comment of a shell": b"# x\n" + RUN,
    "byte order mark": b"\xef\xbb\xbf" + RUN,
    "UTF-16": RUN.decode().encode("utf-16"),
    "UTF-16 without a mark": RUN.decode().encode("utf-16-le"),
    "UTF-32": RUN.decode().encode("utf-32"),
    "YAML": b"plan_name: hello\ntask_name: greet\n",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "a form": b"plan_name=hello&task_name=greet",
    "pickle": b"\x80\x04\x95\x1c\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93.",
    "msgpack": b"\x82\xa9plan_name\xa5hello\xa9task_name\xa5greet",
    "a guard": b")]}',\n" + RUN,
    "a list": b"[" + RUN + b"]",
    "a string": b'"' + b"x" * 100 + b'"',
    "a number": b"1",
    "null": b"null",
    "true": b"true",
    "True": b"True",
    "undefined": b"undefined",
    "non-breaking space": b"\xc2\xa0" + RUN,
    "form feed": b"\x0c" + RUN,
    "all bytes": bytes(range(256)),
    "a prototype": b'{"plan_name": "hello", "task_name": "greet", "__proto__": {"admin": true}}',
    "a class": b'{"plan_name": "hello", "task_name": "greet", "__class__": "os.system"}',
}


def _texts() -> dict[str, bytes]:
    numbers = {f"number {each.decode()[:12]}": _valued(each) for each in NUMBERS}
    strings = {f"string with {name}": _valued(text) for name, text in STRINGS.items()}
    names = {
        f"name with {name}": b'{"plan_name": "hello", "task_name": "greet", %s: 1}' % text
        for name, text in STRINGS.items()
    }
    documents = {f"document: {name}": text for name, text in DOCUMENTS.items()}
    huge = {
        "number of 100,000 digits as priority": RUN[:-1]
        + b', "priority": '
        + b"9" * 100_000
        + b"}",
        "number of 20 digits as priority": RUN[:-1] + b', "priority": ' + b"9" * 20 + b"}",
        "number with 100,000 decimals": RUN[:-1] + b', "delay_sec": -1.' + b"9" * 100_000 + b"}",
        "zero with an exponent": RUN[:-1] + b', "priority": 1e99}',
        "string of 500,000 letters": _valued(b'"' + b"x" * 500_000).replace(b'"hello"', b'"none"'),
        "name of 500,000 letters": b'{"%s": 1}' % (b"x" * 500_000),
        "100,000 properties": b"{%s}" % b",".join(b'"x%d":1' % each for each in range(80_000)),
        "100,000 values": b"[%s]" % b",".join([b"1"] * 100_000),
        "200,000 spaces": b" " * 200_000,
    }
    return numbers | strings | names | documents | huge


def _deep() -> dict[str, bytes]:
    return {
        "lists": b"[" * DEEP + b"]" * DEEP,
        "lists that do not end": b"[" * DEEP,
        "objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        "objects that do not end": b'{"a":' * DEEP,
        "objects and lists": b'{"a":[' * (DEEP // 2) + b"1" + b"]}" * (DEEP // 2),
        "ends only": b"]" * DEEP,
        "lists as an input": _valued(b"[" * DEEP + b"]" * DEEP),
        "objects as an input": _valued(b'{"a":' * DEEP + b"1" + b"}" * DEEP),
        "lists as a plan": b'{"plan_name": %s}' % (b"[" * DEEP + b"]" * DEEP),
        "too much": b"[" * 1_100_000,
    }


TWICE = {
    "the same value": b'{"plan_name": "hello", "plan_name": "hello", "task_name": "greet"}',
    "another value": b'{"plan_name": "none", "task_name": "greet", "plan_name": "hello"}',
    "an escape": rb'{"plan_name": "hello", "task_name": "greet", "plan_n\u0061me": "hello"}',
    "with spaces": b'{"plan_name" : "hello", "task_name" : "greet", "plan_name" : "hello"}',
    "an input": _valued(b'"Ada", "name": "Eve"'),
    "deep in an input": _valued(b'[[{"a": {"b": 1, "c": 2, "b": 3}}]]'),
    "with colons": _valued(b'"a:b:c", "name": "d"'),
}


def _packed() -> dict[str, bytes]:
    bomb = gzip.compress(bytes(100 * 2**20), 1)
    twice = gzip.compress(bomb)
    good = gzip.compress(RUN)
    as_gzip = "Content-Encoding: gzip"
    text = gzip.compress(b'"' + b"x" * 3 * 2**20 + b'"')
    return {
        "gzip of 100 MiB": run(as_gzip, body=bomb),
        "gzip of 3 MiB": run(as_gzip, body=text),
        "deflate of 10 MiB": run(
            "Content-Encoding: deflate", body=zlib.compress(bytes(10 * 2**20))
        ),
        "gzip of gzip of 100 MiB": run("Content-Encoding: gzip, gzip", body=twice),
        "gzip of gzip, said once": run(as_gzip, body=gzip.compress(good)),
        "gzip that is none": run(as_gzip, body=RUN),
        "gzip that is cut": run(as_gzip, body=good[: len(good) // 2]),
        "gzip with a bad checksum": run(as_gzip, body=good[:-8] + bytes(8)),
        "gzip with a bad head": run(as_gzip, body=b"\x1f\x8b\xff" + good[3:]),
        "gzip and more": run(as_gzip, body=good + b"more"),
        "two gzips": run(as_gzip, body=good + good),
        "deflate that is none": run("Content-Encoding: deflate", body=RUN),
        "br that is none": run("Content-Encoding: br", body=RUN),
        "zstd that is none": run("Content-Encoding: zstd", body=RUN),
        "an unknown coding": run("Content-Encoding: foo", body=b"\xff" + RUN),
        "gzip of nothing": run(as_gzip, body=gzip.compress(b" ")),
    }


def _types() -> dict[str, bytes]:
    types = (
        *("text/plain", "text/json", "application/xml", "application/x-www-form-urlencoded"),
        *("multipart/form-data; boundary=x", "multipart/form-data", "application/json-patch+json"),
        *("application/octet-stream", "application/yaml", "json", "", "*/*", "application/"),
        *("application/jsonx", "text/html; application/json", "application/json, text/plain"),
        *("x" * 5_000, "application/json\x0b", "\xff\xfe"),
    )
    sent = {each[:40] or "empty": run(f"Content-Type: {each}", json=False) for each in types}
    return sent | {"none": run(json=False)}
