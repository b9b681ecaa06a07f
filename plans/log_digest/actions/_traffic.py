"""A made-up access log of a web shop. Imports the standard library only.

The same seed gives the same log.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Final, Literal, NamedTuple

LogFormat = Literal["common", "combined", "timed"]


class Page(NamedTuple):
    """Something that is asked for: how often, how large it is, and how long it takes."""

    weight: float
    method: str
    target: str  # {n} stands for a product's number, few of which are asked for often
    size: int
    usual_ms: float
    errors: tuple[tuple[int, float], ...] = ()  # status, and the share of requests that get it


_PAGES: Final = (
    Page(20, "GET", "/", 14_200, 35),
    Page(26, "GET", "/products/{n}", 22_800, 60, ((404, 0.01),)),
    Page(9, "GET", "/search?q=item+{n}&page=1", 18_400, 240, ((500, 0.002), (504, 0.001))),
    Page(18, "GET", "/static/app.js", 96_300, 4, ((304, 0.6),)),
    Page(16, "GET", "/static/style.css", 21_700, 3, ((304, 0.6),)),
    Page(14, "GET", "/images/{n}.webp", 48_000, 6, ((304, 0.4), (404, 0.004))),
    Page(6, "POST", "/api/cart", 640, 55, ((422, 0.02), (503, 0.004))),
    Page(2, "POST", "/checkout", 2_300, 420, ((402, 0.03), (502, 0.02))),
    Page(1, "POST", "/login", 310, 180, ((401, 0.15),)),
    Page(0.3, "GET", "/reports/yearly?format=pdf", 1_840_000, 4_300, ((504, 0.08),)),
    Page(1.5, "GET", "/wp-login.php", 162, 2, ((404, 1.0),)),
    Page(0.8, "GET", "/.env", 162, 2, ((404, 1.0),)),
    Page(1, "GET", "/old-catalogue", 178, 2, ((301, 1.0),)),
    Page(0.5, "HEAD", "/health", 0, 1),
)
_PRODUCTS: Final = 400
_AGENTS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari/604",
    "ExampleBot/2.1 (+https://bot.example/about)",
    'odd \\"quoted\\" client',
    "-",
)
_AGENT_WEIGHTS: Final = (30, 45, 30, 8, 1, 2)
_REFERERS: Final = ("-", "https://shop.example/", "https://search.example/?q=cups")
_REFERER_WEIGHTS: Final = (30, 60, 10)
#: How busy each hour of a day is, from midnight on.
_HOURS: Final = (
    2,
    1,
    1,
    1,
    1,
    2,
    4,
    7,
    10,
    12,
    13,
    13,
    14,
    13,
    12,
    12,
    13,
    14,
    16,
    18,
    19,
    15,
    9,
    4,
)
_START: Final = datetime(2026, 3, 2, tzinfo=UTC)
_MALFORMED: Final = ("\\x16\\x03\\x01\\x02\\x00\\x01", "-", "", "GET")
_BAD_LINES: Final = (
    "",
    "2026/03/02 10:11:12 [error] 1234#0: *5 upstream timed out",
    '203.0.113.7 - - [02/Mar/2026:10:11:12 +0000] "GET / HT',
    '203.0.113.7 - - [32/Foo/2026:10:11:12 +0000] "GET / HTTP/1.1" 200 12',
    "\x00\x00\x00\x00",
)


def log_lines(
    count: int, seed: int, log_format: LogFormat, days: int, bad_share: float
) -> Iterator[str]:
    """`count` lines, without their ends, in the order of time, spread over `days` days.

    `bad_share` of them (0 to 1) are broken. "timed" is the combined format with nginx's
    $request_time behind it.
    """
    random = Random(seed)  # noqa: S311 - made-up data is to be repeatable, not secret
    clients = [_address(random) for _ in range(max(1, min(5_000, count // 20)))]
    hour_ends = list(accumulate(_HOURS * days))
    weights = [page.weight for page in _PAGES]
    for number in range(count):
        moment = _moment(hour_ends, number / count)
        if random.random() < bad_share:
            yield random.choice(_BAD_LINES)
            continue
        page = random.choices(_PAGES, weights)[0]
        yield _line(page, moment, random.choice(clients), log_format, random)


def _moment(hour_ends: list[int], position: float) -> datetime:
    """When the part `position` (0 to 1) of all requests has been made."""
    work = position * hour_ends[-1]
    hour = bisect_right(hour_ends, work)
    before = hour_ends[hour - 1] if hour else 0
    return _START + timedelta(hours=hour + (work - before) / (hour_ends[hour] - before))


def _line(page: Page, moment: datetime, client: str, log_format: LogFormat, random: Random) -> str:
    status, size, taken = 200, page.size, page.usual_ms * random.lognormvariate(0, 0.5) / 1000
    target = page.target.format(n=min(_PRODUCTS, int(random.paretovariate(0.7))))
    request = f"{page.method} {target} HTTP/1.1"
    luck = random.random()
    for error, share in page.errors:
        luck -= share
        if luck < 0:
            status, size = error, 0 if error == 304 else 548
            taken = 30.0 if error == 504 else taken
            break
    if random.random() < 0.001:
        request, status, size, taken = random.choice(_MALFORMED), 400, 157, 0.0
    user = random.choice(("frank", "maria lópez")) if random.random() < 0.01 else "-"
    time = f"{moment:%d/%b/%Y:%H:%M:%S +0000}"
    line = f'{client} - {user} [{time}] "{request}" {status} {size or "-"}'
    if log_format == "common":
        return line
    referer = random.choices(_REFERERS, _REFERER_WEIGHTS)[0]
    agent = random.choices(_AGENTS, _AGENT_WEIGHTS)[0]
    line = f'{line} "{referer}" "{agent}"'
    return f"{line} {taken:.3f}" if log_format == "timed" else line


def _address(random: Random) -> str:
    """An address from the ranges that are kept free for examples."""
    if random.random() < 0.2:
        return f"2001:db8:{random.randrange(0x10000):x}::{random.randrange(1, 0x10000):x}"
    return f"{random.choice(('192.0.2', '198.51.100', '203.0.113'))}.{random.randrange(1, 255)}"
