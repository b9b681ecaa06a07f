"""`submit`: runTask, validated and durable, beside an aiohttp handler that does neither.

Imports the other benchmarks.
"""

import uvloop

from benchmarks import load, processes
from benchmarks.results import Result

CONNECTIONS = 64
BODY = b'{"plan_name":"bench","task_name":"noop","inputs":{},"priority":3,"labels":{"team":"a"}}'


def submit(*, rounds: int, seconds: float) -> Result:
    """Requests per second of both, round by round in turn; each side is warmed up first."""
    measured, limits = [], []
    with processes.aura("--no-start") as aura_url, processes.bare() as bare_url:
        for url in (aura_url, bare_url):
            _requests_per_sec(url, 0.5)
        for _ in range(rounds):
            measured.append(_requests_per_sec(aura_url, seconds))
            limits.append(_requests_per_sec(bare_url, seconds))
    return Result(
        scenario="submit",
        unit="requests/s",
        what=f"runTask, {CONNECTIONS} connections, validated, on disk before the answer",
        limit="bare aiohttp handler with uvloop and orjson, same body and answer",
        measured=tuple(measured),
        limits=tuple(limits),
    )


def _requests_per_sec(url: str, seconds: float) -> float:
    url += "/api/tasks/run"
    request = load.post(url, BODY)

    async def hammer() -> int:
        requests = load.for_seconds(request, seconds)
        return await load.send(url, requests, connections=CONNECTIONS, status=202)

    return uvloop.run(hammer()) / seconds
