"""Addresses: paths that lead out, escapes that are none, names that look like others, queries.

Imports `case` and the standard library only.
"""

import json
from collections.abc import Iterator
from urllib.parse import quote

from tests.hostile.case import Case, get, named, run
from tests.hostile.wire import request

CID = "019cadd4-5698-7c31-9b5d-2f4e6a7b8c9d"


def cases() -> Iterator[Case]:
    """All of them."""
    yield from named("path", {path[:60]: get(path) for path in PATHS})
    yield from named("escape", {path[:60]: get(path) for path in _escapes()}, 400, 404, 405, 422)
    yield from named("name in a path", dict(_names_in_paths()), 400, 404, 422)
    yield from named("name in a body", dict(_names_in_bodies()), 400, 422)
    yield from named("query", {query[:60]: get(query) for query in _queries()}, 400, 422)
    yield from named("method", dict(_methods()), 400, 403, 404, 405, 501)
    yield from named("request header", dict(_request_headers()), 400, 401, 403, 415, 422, 426)


OUT = ("etc/passwd", "aura.db", "openapi.yaml")
UP = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..\\", "..%5c", "%252e%252e%252f", "..;/", "..%00/")
ROOTS = ("/", "/docs/", "/dashboard/", "/static/", "/api/plans/", "/schemas/")
NOWHERE = (
    *("/api", "/api/", "/api/none", "//api/runs", "/api//runs", "/API/RUNS", "/api/runs/"),
    *("/api/runs;x=y", "/api/runs%3fx", "/api/runs%23", "/.git/config", "/.env", "/aura.toml"),
    *("/etc/passwd", "/C:/Windows/win.ini", "/proc/self/environ", "/server-status"),
    *("/api/tasks/run", "/api/queue/clear", "/api/plans/validate/x", "/metrics/x", "/healthz/x"),
    *("/dashboard/app.js/..", "/docs/none.js", "/docs/swagger-ui.css.bak", "/api/docs/none"),
    *("/wp-login.php", "/./api/x", "/" + "a/" * 10_000, "/" + "x" * 60_000),
)
PATHS = [
    *(root + up * 6 + out for root in ROOTS for up in UP for out in OUT[:1]),
    *(up * 6 + out for up in ("/..", "/.%2e", "/%2e.") for out in OUT),
    *NOWHERE,
]


def _escapes() -> Iterator[str]:
    bad = ("%", "%z", "%zz", "%1", "%u0041", "%00", "%0a", "%0d%0aX:y", "%ff", "%c0%af",
           "%ed%a0%80",
           "%f4%90%80%80", "%e2%82", "%1b[31m", "%7f", "%%", "%25%30%30", "%2", "%-1")  # fmt: skip
    for each in bad:
        yield f"/api/plans/{each}"
        yield f"/api/runs/{each}/definition"
        yield f"/api/plans/hello/tasks/{each}"


NAMES = (
    *("hell\u043e", "\uff48\uff45\uff4c\uff4c\uff4f", "he\u200bllo", "hello\u200d", "\u202eolleh"),
    *("hello\u0301", "HELLO", " hello", "hello ", "hello\t", "hello\n", "hello\0", "he\x1b[2Jllo"),
    *("\ufeffhello", "hello\u2028", "../hello", "hello/..", "hello/../hello", "./hello", "~", "."),
    *(
        "..",
        "$(id)",
        "`id`",
        "{{7*7}}",
        "${7*7}",
        "<script>",
        "' OR 1=1 --",
        "%s%s%s",
        "hello;",
        "*",
    ),
    *("hello\\..\\hello", "CON", "NUL", "hello:greet", "\U0001f600", "x" * 300, "hello.", "\x7f"),
)


def _names_in_paths() -> Iterator[tuple[str, bytes]]:
    for name in NAMES:
        yield f"plan {ascii(name)[:40]}", get(f"/api/plans/{quote(name, safe='')}")
        yield f"task {ascii(name)[:40]}", get(f"/api/plans/hello/tasks/{quote(name, safe='')}")
    for name in NAMES[::3]:
        yield f"cid {ascii(name)[:40]}", get(f"/api/runs/{quote(name, safe='')}")
        yield f"schedule {ascii(name)[:40]}", get(f"/api/schedules/{quote(name, safe='')}")


def _names_in_bodies() -> Iterator[tuple[str, bytes]]:
    for name in NAMES:
        plan = {"plan_name": name, "task_name": "greet"}
        task = {"plan_name": "hello", "task_name": name, "inputs": {"name": "Ada"}}
        yield f"plan {ascii(name)[:40]}", run(body=json.dumps(plan).encode())
        yield f"task {ascii(name)[:40]}", run(body=json.dumps(task).encode())


def _queries() -> Iterator[str]:
    numbers = ("", "x", "1.5", "1e3", "-1", "0", "1001", "\uff11", "+1", " 1", "1_0", "0x1", "NaN")
    for number in (*numbers, "9" * 5_000, "true", "null", "1,1", "%00", "1%00", "%ff"):
        yield f"/api/runs?limit={quote(number, safe='%')}"
    for wait in ("x", "-1", "56", "nan", "inf", "1e400", "-inf", "\u0661", "1:00"):
        yield f"/api/runs/{CID}?wait_sec={quote(wait)}"
    for moment in ("now", "2026-13-01T00:00:00Z", "2026-01-01", "0000-01-01T00:00:00Z", "9" * 400,
                   "2026-01-01T00:00:00", "1e99", "", "2026-01-01T24:00:00Z"):  # fmt: skip
        yield f"/api/runs?created_after={quote(moment)}"
    for cursor in ("x", "", "AAAA", "%00", "\u00e4", "-", "W10=", "bnVsbA", "A" * 50_000, "../x"):
        yield f"/api/runs?cursor={quote(cursor, safe='%')}"
        yield f"/api/queue/list?cursor={quote(cursor, safe='%')}"
    for query in ("status=none", "status=", "status[]=queued", "label=x", "label==", "include=none",
                  "zzz=1", "limit=1&limit=2", "LIMIT=1", "limit[gt]=1", "limit=1;limit=2", "&&&=&=",
                  "=", "%", "%zz=1", "%ff=1", "a=%ff", "\x7f=1", "limit=1%0d%0aX:y"):  # fmt: skip
        yield f"/api/runs?{query}"
    yield "/api/runs?" + "&".join(f"x{number}=1" for number in range(8_000))
    yield "/api/runs?" + "x" * 60_000
    yield "/api/runs?q=" + "&q=".join(["x"] * 10_000)
    for query in ("level=none", "tail=-1", "since=-1", "since=x", "zzz=1",
                  "tail=1e9", "batch=2", "since=" + "9" * 30):  # fmt: skip
        yield f"/api/logs/stream?{query}"
        yield f"/ws/logs?{query}"


def _methods() -> Iterator[tuple[str, bytes]]:
    paths = ("/api/runs", "/api/tasks/run", "/api/queue/clear", "/healthz", "/ws/logs", "/none")
    methods = ("TRACE", "PROPFIND", "get", "Post", "DELETE", "PUT", "FOO", "M-SEARCH", "TRACK")
    for path in paths:
        for method in methods:
            if (method, path) != ("DELETE", "/api/queue/clear"):
                yield f"{method} {path}", request(method, path)
    yield "override", request("POST", "/api/runs", "X-HTTP-Method-Override: DELETE")


def _request_headers() -> Iterator[tuple[str, bytes]]:
    for origin in ("http://evil.example", "null", "file://", "x", "http://127.0.0.1.evil.example",
                   "https://127.0.0.1:1", "http://a@evil.example", "http://[::1"):  # fmt: skip
        yield f"origin {origin}", run(f"Origin: {origin}")
    for token in ("Bearer", "Bearer x", "Bearer " + "x" * 5_000, "Bearer \xff",
                  "bearer aura_x", "Bearer aura_" + "0" * 64, "Bearer a b"):  # fmt: skip
        yield f"authorization {token[:30]}", get("/api/runs", f"Authorization: {token}")
    for key in ("", "\xff", "x" * 256, "a b\tc", "x" * 5_000):
        yield f"idempotency key {key[:20]!r}", run(f"Idempotency-Key: {key}")
    for last in ("x", "-1", "1.5", "9" * 400, "1 1", "\xff", "1_0"):
        yield f"last event {last[:20]!r}", get("/api/logs/stream", f"Last-Event-ID: {last}")
    upgrade = "Upgrade: websocket", "Connection: Upgrade"
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    shakes = {
        "no version": (*upgrade, key),
        "version 8": (*upgrade, key, "Sec-WebSocket-Version: 8"),
        "version x": (*upgrade, key, "Sec-WebSocket-Version: x"),
        "no key": (*upgrade, "Sec-WebSocket-Version: 13"),
        "short key": (*upgrade, "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: YQ=="),
        "key that is none": (*upgrade, "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: ?"),
        "no upgrade": (key, "Sec-WebSocket-Version: 13"),
        "another upgrade": (
            "Upgrade: h2c",
            "Connection: Upgrade",
            key,
            "Sec-WebSocket-Version: 13",
        ),
        "another origin": (
            *upgrade,
            key,
            "Sec-WebSocket-Version: 13",
            "Origin: http://evil.example",
        ),
    }
    for name, lines in shakes.items():
        yield f"handshake: {name}", get("/ws/logs", *lines)
