"""One line of an access log: the common and the combined format, of Apache and of nginx.

Imports the standard library only. What the formats look like:
https://httpd.apache.org/docs/current/logs.html#accesslog and
https://nginx.org/en/docs/http/ngx_http_log_module.html.
"""

import re
from typing import Final, Literal, NamedTuple

TimeUnit = Literal["auto", "s", "ms", "us"]

_MILLISECONDS: Final = {"s": 1000.0, "ms": 1.0, "us": 0.001}

#: `"[^"\\]*(?:\\.[^"\\]*)*"` is a quoted field: Apache writes a quote in it as \", nginx as \x22.
_LINE: Final = re.compile(
    r"""
    \S+ [ ] \S+ [ ] .*? [ ]?                                      # client, ident, user
    \[ (\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d) :\d\d:\d\d [ ] [+-]\d{4} \] [ ]
    " ([^"\\]*(?:\\.[^"\\]*)*) " [ ]                              # request
    ([1-5]\d\d) [ ] (\d+|-)                                       # status, bytes
    (?: [ ] "[^"\\]*(?:\\.[^"\\]*)*" [ ] "[^"\\]*(?:\\.[^"\\]*)*" )?  # referer, user agent
    ((?: [ ] .* )?)
    """,
    re.VERBOSE | re.ASCII,
)
#: What may stand behind the standard fields: words, quoted text, or name=value of either.
_EXTRA: Final = re.compile(
    r'(?<![^ ])(?:([a-z_]{1,20})[=:])?("[^"\\]*(?:\\.[^"\\]*)*"|[^" ]+)(?![^ ])', re.ASCII
)
_TIME_NAMES: Final = frozenset({"", "rt", "request_time", "time", "duration"})
_DURATION: Final = re.compile(r"\d{1,18}(?:\.\d{1,9})?", re.ASCII)
_REQUEST: Final = re.compile(r"([A-Z][A-Z-]*) (\S.*?)(?: HTTP/\d(?:\.\d)?)?", re.ASCII)
_ORIGIN: Final = re.compile(r"https?://[^/?#]*", re.IGNORECASE)

#: Stands for the path and the method of a request that no HTTP server could understand.
NO_PATH: Final = "(malformed request)"
NO_METHOD: Final = "(none)"


class Hit(NamedTuple):
    """One request, as far as a digest needs it."""

    hour: str  # 10/Oct/2000:13, in the log's own time zone
    method: str
    path: str  # without the query
    status: int
    size: int  # bytes of the answer
    taken_ms: float | None  # None: the line has no request time


def parse(line: str, unit: TimeUnit = "auto") -> Hit | None:
    """The request that `line` (without its line end) tells of; None if it is in neither format.

    A request time is the first number that stands alone after the standard fields, as nginx's
    $request_time or Apache's %D, also quoted, also as rt=, request_time=, time= or duration=. Its
    `unit` "auto" takes one with a decimal point as seconds, one without as microseconds.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    hour, request, status, size, rest = match.groups()
    if rest.replace('\\"', "").count('"') % 2:
        return None  # cut off within a quoted field
    method, path = _method_and_path(request)
    return Hit(
        hour=hour,
        method=method,
        path=path,
        status=int(status),
        size=0 if size == "-" else int(size),
        taken_ms=_taken_ms(rest, unit) if rest else None,
    )


def _method_and_path(request: str) -> tuple[str, str]:
    match = _REQUEST.fullmatch(request)
    if match is None:
        return NO_METHOD, NO_PATH
    method, target = match.groups()
    path = target.partition("?")[0]
    if not path.startswith("/"):
        path = _ORIGIN.sub("", path) or "/"  # a proxy's request names the whole URL
    return method, path


def _taken_ms(rest: str, unit: TimeUnit) -> float | None:
    for name, value in _EXTRA.findall(rest):
        number = value.strip('"')
        if name in _TIME_NAMES and _DURATION.fullmatch(number):
            if unit == "auto":
                unit = "s" if "." in number else "us"
            return float(number) * _MILLISECONDS[unit]
    return None
