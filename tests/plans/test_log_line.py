"""One line of an access log, in the formats of real servers.

Imports the plan log_digest's own modules.
"""

import time

import pytest

from plans.log_digest.actions._line import NO_METHOD, NO_PATH, Hit, TimeUnit, parse
from tests.plans.log_samples import COMBINED, COMMON, NGINX


def test_lines_as_the_servers_document_them() -> None:
    apache = Hit("10/Oct/2000:13", "GET", "/apache_pb.gif", 200, 2326, None)
    assert parse(COMMON) == apache
    assert parse(COMBINED) == apache
    assert parse(NGINX) == Hit("02/Mar/2026:09", "POST", "/api/cart", 503, 0, None)


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        ("127.0.0.1", "2001:db8::1"),
        ("127.0.0.1", "::ffff:192.0.2.1"),
        ("127.0.0.1", "client.example"),
        (" frank ", " frank the 2nd "),
        (" frank ", ' "" '),
        (" frank ", " "),
        (" HTTP/1.0", ""),
        (" HTTP/1.0", " HTTP/2"),
        ("pb.gif", "pb.gif?q=1&r=2"),
        ("/apache_pb.gif", "http://a.example/apache_pb.gif?q"),
        ("Mozilla", 'odd \\"client\\" '),
        ("Mozilla", "[1/Jan/2000:00:00:00 +0000] "),
        ("Mozilla", "\\x22"),
        ("start.html", "a\\\\"),
        ('"http://www.example.com/start.html"', '""'),
        ('Nav)"', 'Nav)" some "more \\"quoted\\" fields"'),
    ],
)
def test_what_changes_nothing_that_is_counted(part: str, instead: str) -> None:
    assert part in COMBINED
    assert parse(COMBINED.replace(part, instead)) == parse(COMBINED)


@pytest.mark.parametrize(
    ("request_line", "method", "path"),
    [
        ('GET /say\\"hi\\"?q=\\\\ HTTP/1.1', "GET", '/say\\"hi\\"'),
        ("GET /say\\x22hi HTTP/1.1", "GET", "/say\\x22hi"),
        ("GET /two words HTTP/1.1", "GET", "/two words"),
        ("GET http://a.example HTTP/1.1", "GET", "/"),
        ("OPTIONS * HTTP/1.1", "OPTIONS", "*"),
        ("M-SEARCH * HTTP/1.1", "M-SEARCH", "*"),
        ("CONNECT a.example:443 HTTP/1.1", "CONNECT", "a.example:443"),
        ("\\x16\\x03\\x01", NO_METHOD, NO_PATH),
        ("GET", NO_METHOD, NO_PATH),
        ("-", NO_METHOD, NO_PATH),
        ("", NO_METHOD, NO_PATH),
    ],
)
def test_a_request_of_any_kind(request_line: str, method: str, path: str) -> None:
    for line in (COMMON, COMBINED):
        hit = parse(line.replace("GET /apache_pb.gif HTTP/1.0", request_line))
        assert hit is not None
        assert (hit.method, hit.path, hit.status, hit.size) == (method, path, 200, 2326)


def test_an_answer_without_a_body() -> None:
    hit = parse(COMMON.replace(" 2326", " -"))
    assert hit is not None
    assert hit.size == 0


@pytest.mark.parametrize(
    ("line", "unit", "taken_ms"),
    [
        (f"{COMBINED} 0.123", "auto", 123),
        (f"{COMBINED} 0.000", "auto", 0),
        (f"{COMMON} 1.5", "auto", 1500),
        (f"{COMBINED} 123456", "auto", 123.456),
        (f"{COMBINED} 123456", "ms", 123_456),
        (f"{COMBINED} 2", "s", 2000),
        (f'{COMBINED} "0.050"', "auto", 50),
        (f'{COMBINED} rt=0.250 uct="0.001" urt="0.249"', "auto", 250),
        (f"{COMBINED} request_time=0.250", "auto", 250),
        (f'{COMBINED} "198.51.100.4" 0.005 0.004 .', "auto", 5),
        (f'{COMBINED} "198.51.100.4"', "auto", None),
        (f"{COMBINED} -", "auto", None),
        (f"{COMBINED} https/443", "auto", None),
        (f'{COMBINED} "a 5 b" status=200 7.5', "auto", 7500),
        (f"{COMBINED} 1.2.3", "auto", None),
    ],
)
def test_a_request_time(line: str, unit: TimeUnit, taken_ms: float | None) -> None:
    hit = parse(line, unit)
    assert hit is not None
    assert hit.taken_ms == (None if taken_ms is None else pytest.approx(taken_ms))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "2026/03/02 10:11:12 [error] 1234#0: *5 upstream timed out",
        COMMON[:-20],
        COMMON.replace(" 200 ", " 999 "),
        COMMON.replace(" 200 ", " abc "),
        COMMON.replace("2326", "2326x"),
        COMMON.replace("[10/Oct/2000:13:55:36 -0700]", "[2000-10-10T13:55:36-07:00]"),
        COMMON.replace('"', "'"),
        COMBINED[:-1],
        "\ufffd" * 4,
    ],
)
def test_what_is_no_line_of_an_access_log(line: str) -> None:
    assert parse(line) is None


@pytest.mark.parametrize(
    "line",
    [
        "a b " + '[10/Oct/2000:13:55:36 -0700] "' * 1_000,
        COMMON.replace("/apache_pb.gif", '\\"' * 16_000),
        COMMON.replace("/apache_pb.gif", "/ HTTP/1." * 4_000),
        COMMON.replace("GET /apache_pb.gif HTTP/1.0", "A-" * 16_000),
        f'{COMMON} {"a" * 32_000}""',
        f"{COMMON} {'a_ ' * 10_000}",
        f"{COMMON} {chr(34) * 32_000}",
        "a " * 16_000,
        "a b " + "[" * 32_000,
    ],
)
def test_no_line_takes_long_to_read(line: str) -> None:
    """Long lines made to be hard take milliseconds; a rule that tracks back takes minutes."""
    start = time.perf_counter()
    parse(line)
    assert time.perf_counter() - start < 1
