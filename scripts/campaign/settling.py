"""The end of a round: every run is brought to its end, those included that have none by themselves.

Imports the standard library only.
"""

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

SETTLE_SEC = 90.0
LONG_AGO = "2000-01-01T00:00:00Z"


def settle(url: str, left: Callable[[], int], token: str = "") -> None:
    """Return when no run is left: endless ones are cancelled, and those that the clock was set back
    for, or that are delayed, are made due. The checker finds what is left at last.
    """
    deadline = time.monotonic() + SETTLE_SEC
    while left() and time.monotonic() < deadline:
        _call(url, "POST", "/api/tasks/cancel", {"task_name": "endless"}, token)
        delayed = _call(url, "GET", "/api/queue/list?state=delayed&limit=1000", None, token)
        for item in delayed.get("items", ()):
            _call(url, "PATCH", f"/api/tasks/{item['cid']}/run-at", {"run_at": LONG_AGO}, token)
        time.sleep(0.1)


def _call(url: str, method: str, path: str, body: Mapping[str, Any] | None, token: str) -> Any:
    """The answer, or nothing when there is none or an error: it is asked again."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url + path, data, headers, method=method)  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)
    except OSError:
        return {}
