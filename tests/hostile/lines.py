"""What is no request of HTTP, or one whose end two readers would see in different places.

Imports `case` only.
"""

from collections.abc import Iterator

from tests.hostile.case import ANY_REFUSAL, RUN, Case, get, named, run
from tests.hostile.wire import HOST

HOST_LINE = b"Host: " + HOST + b"\r\n"
STOP = b"POST /api/system/stop HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"


def cases() -> Iterator[Case]:
    """All of them."""
    yield from named("request line", _request_lines(), silent=True)
    yield from named("header", _headers(), silent=True)
    yield from named("host", {host or "empty": _to_host(host) for host in HOSTS})
    yield from named("length", _lengths())
    yield from named("encoding", _transfer_encodings())
    yield from named("chunked", _chunked())
    yield from _unfinished()
    yield from _pipelines()


def _request_lines() -> dict[str, bytes]:
    lines = {
        "nothing": b"\r\n\r\n\r\n",
        "a word": b"nonsense",
        "no address": b"GET HTTP/1.1",
        "no version": b"GET /",
        "version 0.9": b"GET / HTTP/0.9",
        "version 2.0": b"GET / HTTP/2.0",
        "version 9.9": b"GET / HTTP/9.9",
        "version 1.1.1": b"GET / HTTP/1.1.1",
        "version 1": b"GET / HTTP/1",
        "version in small letters": b"GET / http/1.1",
        "another protocol": b"GET / ICY/1.1",
        "version with a plus": b"GET / HTTP/+1.1",
        "two addresses": b"GET / / HTTP/1.1",
        "tabs": b"GET\t/\tHTTP/1.1",
        "a space first": b" GET / HTTP/1.1",
        "NUL in the method": b"G\0T / HTTP/1.1",
        "NUL in the address": b"GET /\0 HTTP/1.1",
        "CR in the address": b"GET /\rX: y HTTP/1.1",
        "escape code in the address": b"GET /\x1b[31m HTTP/1.1",
        "DEL in the address": b"GET /\x7f HTTP/1.1",
        "raw bytes in the address": b"GET /\xff\xfe HTTP/1.1",
        "raw UTF-8 in the address": "GET /ä HTTP/1.1".encode(),
        "method of odd letters": b"G(T / HTTP/1.1",
        "method of raw bytes": b"\xc3\xa4 / HTTP/1.1",
        "method of 10,000 letters": b"A" * 10_000 + b" / HTTP/1.1",
        "address without a slash": b"GET healthz HTTP/1.1",
        "address of 100,000 letters": b"GET /" + b"x" * 100_000 + b" HTTP/1.1",
        "address with a bad port": b"GET http://127.0.0.1:99999999/ HTTP/1.1",
        "address with an open bracket": b"GET http://[::1/ HTTP/1.1",
        "address of another host": b"GET http://evil.example/api/runs HTTP/1.1",
        "a star": b"GET * HTTP/1.1",
        "CONNECT": b"CONNECT evil.example:443 HTTP/1.1",
        "CONNECT without a port": b"CONNECT evil.example HTTP/1.1",
        "TRACE": b"TRACE / HTTP/1.1",
        "PRI": b"PRI * HTTP/2.0",
    }  # fmt: skip
    whole = {name: line + b"\r\n" + HOST_LINE + b"\r\n" for name, line in lines.items()}
    return whole | {
        "only LF": b"GET /api/none HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n",
        "only CR": b"GET /api/none HTTP/1.1\rHost: 127.0.0.1\rConnection: close\r\r",
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2,
        "SSH": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "SMTP": b"EHLO evil.example\r\nMAIL FROM:<a@b>\r\n\r\n",
        "Redis": b"*1\r\n$8\r\nFLUSHALL\r\n\r\n",
        "NUL bytes": bytes(1_000) + b"\r\n\r\n",
        "all bytes": bytes(range(256)) + b"\r\n\r\n",
        "an answer": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    }


def _headers() -> dict[str, bytes]:
    lines: dict[str, bytes] = {
        "without a colon": b"NoColon",
        "without a name": b": value",
        "space before the colon": b"X : y",
        "space in the name": b"Bad Header: x",
        "folded": b"X: a\r\n b",
        "folded with a tab": b"X: a\r\n\tb",
        "folded at once": b" X: a",
        "folded length": b"Content-Length:\r\n 3",
        "bare CR in the value": b"X: a\rY: b",
        "value of 10,000 letters": b"X: " + b"y" * 10_000,
        "name of 10,000 letters": b"X" * 10_000 + b": y",
        "a million letters": b"X: " + b"y" * 1_000_000,
        "10,000 of them": b"\r\n".join(b"X%d: y" % number for number in range(10_000)),
        "two hosts": HOST_LINE + b"Host: evil.example",
        "name of raw bytes": b"\xc3\xa4: x",
        "name in brackets": b"X(y): z",
        "expectation that nobody knows": b"Expect: magic",
        "upgrade to HTTP/2 to a path that is none": b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
    }
    controls = {
        f"byte {byte:02x} in the name": b"X%cY: z" % byte
        for byte in (*range(0x0A), *range(0x0B, 0x0D), *range(0x0E, 0x21), 0x7F)
    } | {f"byte {byte:02x} in the value": b"X: a%cb" % byte for byte in (0x00,)}
    return {
        name: b"GET /api/none HTTP/1.1\r\nConnection: close\r\n" + HOST_LINE + line + b"\r\n\r\n"
        for name, line in (lines | controls).items()
    }


HOSTS = (
    *(
        "",
        " ",
        "evil.example",
        "evil.example:80",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
    ),
    *("evil.example#127.0.0.1", "evil.example/127.0.0.1", "127.0.0.1, evil.example", "127.1"),
    *("0x7f000001", "2130706433", "127.0.0.1:80:80", "127.0.0.1:x", "[::1", "[::1]evil"),
    *("localhost.evil.example", "l\u00f6calhost", "0.0.0.0", "[::]", "127.0.0.1 evil.example"),
    *("*", "..", "-", "a" * 5_000, "%6c%6f%63%61%6c%68%6f%73%74", "http://127.0.0.1"),
)


def _to_host(host: str) -> bytes:
    sent = b"GET /api/runs HTTP/1.1\r\nConnection: close\r\nHost: " + host.encode("latin-1")
    return sent + b"\r\n\r\n"


def _post(*lines: bytes, body: bytes = b"abc") -> bytes:
    head = b"POST /api/none HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\n"
    return head + HOST_LINE + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


LENGTHS = (
    *(b"x", b"-1", b"-0", b"+3", b"3.0", b"3,3", b"3, 4", b"3 3", b"0x3", b"1e1", b"3_0", b"3;"),
    *(b"\xd9\xa3", b'"3"', b"NaN", b"Infinity", b"18446744073709551616", b"9" * 5_000, b"3\x0b"),
)


def _lengths() -> dict[str, bytes]:
    length = b"Content-Length: "
    return {
        length.decode("latin-1")[:40]: _post(b"Content-Length: " + length) for length in LENGTHS
    } | {
        "empty": _post(length),
        "two that differ": _post(length + b"3", length + b"4"),
        "two that are the same": _post(length + b"3", length + b"3"),
        "and chunked": _post(length + b"3", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        "after chunked": _post(b"Transfer-Encoding: chunked", length + b"3", body=b"0\r\n\r\n"),
        "and chunked, in capitals": _post(
            b"CONTENT-LENGTH: 3", b"TRANSFER-ENCODING: CHUNKED", body=b"0\r\n\r\n"
        ),
        "more than may be": _post(length + b"999999999999"),
        "a number of two hosts": _post(length + b"3", b"Host: evil.example"),
    }


def _transfer_encodings() -> dict[str, bytes]:
    values = (
        *(b"xchunked", b"chunked, chunked", b"identity, chunked, x", b"chunked, identity", b"gzip"),
        *(
            b"chunked;q=1",
            b"\x0bchunked",
            b"chunked\x0b",
            b"x, chunked, y",
            b'"chunked"',
            b"chunke",
        ),
        *(b"", b",", b"chunked x", b"c h u n k e d", b"deflate, gzip", b"chunked\xa0"),
    )
    named = {
        value.decode("latin-1") or "empty": _post(b"Transfer-Encoding: " + value, body=b"0\r\n\r\n")
        for value in values
    }
    return named | {
        "two, the last one unknown": _post(
            b"Transfer-Encoding: chunked", b"Transfer-Encoding: x", body=b"0\r\n\r\n"
        ),
        "two, the first one unknown": _post(
            b"Transfer-Encoding: x", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"
        ),
        "space before the colon": _post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
        "folded": _post(b"Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n"),
        "in HTTP/1.0": _post(b"Transfer-Encoding: chunked", body=b"0\r\n\r\n").replace(
            b"HTTP/1.1", b"HTTP/1.0"
        ),
    }


CHUNKS = {
    "size with a sign": b"+3\r\nabc\r\n0\r\n\r\n",
    "negative size": b"-3\r\nabc\r\n0\r\n\r\n",
    "size with a prefix": b"0x3\r\nabc\r\n0\r\n\r\n",
    "size with an underscore": b"0_3\r\nabc\r\n0\r\n\r\n",
    "size with a space": b" 3\r\nabc\r\n0\r\n\r\n",
    "size of letters": b"xyz\r\nabc\r\n0\r\n\r\n",
    "size of other digits": "٣\r\nabc\r\n0\r\n\r\n".encode(),
    "no size": b"\r\nabc\r\n0\r\n\r\n",
    "size of 20 digits": b"FFFFFFFFFFFFFFFFFFFF\r\nabc",
    "size of 100,000 digits": b"0" * 100_000 + b"3\r\nabc\r\n0\r\n\r\n",
    "more than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "less than its size": b"4\r\nabc\r\n0\r\n\r\n",
    "NUL in the size": b"3\0\r\nabc\r\n0\r\n\r\n",
    "only LF after the size": b"3\nabc\r\n0\r\n\r\n",
    "only CR after the size": b"3\rabc\r\n0\r\n\r\n",
    "no end of the chunk": b"3\r\nabc0\r\n\r\n",
    "LF in an extension": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "extension of a million letters": b"3;" + b"x" * 1_000_000 + b"\r\nabc\r\n0\r\n\r\n",
    "trailer without a colon": b"3\r\nabc\r\n0\r\nnonsense\r\n\r\n",
    "trailer with NUL": b"3\r\nabc\r\n0\r\nX: a\0b\r\n\r\n",
    "trailer of a million letters": b"3\r\nabc\r\n0\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
    "not even a number": b"\xff\xff\xff\xff\r\n\r\n",
    "2 MiB": b"10000\r\n" + b"x" * 65_536 + b"\r\n",
}


def _chunked() -> dict[str, bytes]:
    whole = CHUNKS | {"2 MiB": CHUNKS["2 MiB"] * 32 + b"0\r\n\r\n"}
    head = b"POST /api/tasks/run HTTP/1.1\r\nConnection: close\r\n" + HOST_LINE
    head += b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return {name: head + sent for name, sent in whole.items()}


def _unfinished() -> Iterator[Case]:
    """The client says that no more comes, where more has to."""
    head = b"POST /api/tasks/run HTTP/1.1\r\n" + HOST_LINE + b"Content-Type: application/json\r\n"
    sent = {
        "nothing": b"",
        "a letter": b"G",
        "half a line": b"GET /api/runs HT",
        "a line": b"GET /api/runs HTTP/1.1\r\n",
        "half a header": b"GET /api/runs HTTP/1.1\r\nHos",
        "a head without its end": b"GET /api/runs HTTP/1.1\r\n" + HOST_LINE,
        "a body that is too short": head + b"Content-Length: 500\r\n\r\n" + RUN,
        "a body that does not come": head + b"Content-Length: 500\r\n\r\n",
        "a large body that does not come": head + b"Content-Length: 1000000\r\n\r\n",
        "a body after 100-continue": head + b"Expect: 100-continue\r\nContent-Length: 500\r\n\r\n{",
        "a chunk": head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        "a chunk that does not come": head + b"Transfer-Encoding: chunked\r\n\r\nFFFFF\r\n",
        "the last chunk": head
        + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(RUN), RUN),
        "the end of the last chunk": head
        + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n" % (len(RUN), RUN),
    }
    for name, data in sent.items():
        yield Case(f"half-closed: {name}", data, silent=True, half_close=True)


def _pipelines() -> Iterator[Case]:
    """What is right is answered; what stands behind it and is not, is refused."""
    good = get("/healthz").replace(b"Connection: close\r\n", b"")
    length = b"Content-Length: "
    for name, sent in {
        "a body that is too long": _post(length + b"1"),
        "a good request and a bad one": good + b"nonsense\r\n\r\n",
        "100 good requests and a bad one": good * 100 + b"nonsense\r\n\r\n",
        "CL.TE": _post(length + b"4", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + STOP),
        "TE.CL": _post(
            b"Transfer-Encoding: chunked", length + b"4",
            body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(STOP), STOP),
        ),
        "TE.TE": _post(
            b"Transfer-Encoding: chunked", b"Transfer-encoding: cow", body=b"0\r\n\r\n" + STOP
        ),
        "CL.CL": _post(length + b"0", length + b"%d" % len(STOP), body=STOP),
        "CL.0 of a GET": get("/api/none").replace(
            b"Connection: close", b"Content-Length: x"
        ) + STOP,
        "a request in a folded header": b"GET /api/none HTTP/1.1\r\n" + HOST_LINE
        + b"X: a\r\n " + STOP,
        "a request in a chunk's extension": _post(
            b"Transfer-Encoding: chunked", body=b"3;a\n" + STOP + b"\r\nabc\r\n0\r\n\r\n"
        ),
    }.items():  # fmt: skip
        count = sent.count(good)
        yield Case(f"pipelined: {name}", sent, ANY_REFUSAL, silent=True, good=count)
    yield Case("pipelined: a good body twice", run(b"Content-Length: 5") + RUN, silent=True)
