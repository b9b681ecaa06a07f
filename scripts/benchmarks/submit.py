"""`submit`: runTask, validated and durable, beside an aiohttp handler that does neither.

Imports the other benchmarks.
"""

from collections.abc import Sequence

import uvloop

from benchmarks import load, processes
from benchmarks.results import LIMIT, Bar, Result
from benchmarks.rounds import Contender, alternate
from benchmarks.scenario import Asked, Scenario

CONNECTIONS = 64
BODY = b'{"plan_name":"bench","task_name":"noop","inputs":{},"priority":3,"labels":{"team":"a"}}'


def submit(asked: Asked) -> Sequence[Result]:
    """Requests per second of all sides."""
    with processes.aura("--no-start") as aura_url, processes.bare() as bare_url:
        ours, limit = alternate(
            [
                _contender(
                    "Aura",
                    f"runTask, {CONNECTIONS} connections, validated, on disk before the answer",
                    aura_url,
                    asked.seconds,
                ),
                _contender(
                    LIMIT,
                    "bare aiohttp handler with uvloop and orjson, same body and answer",
                    bare_url,
                    asked.seconds,
                ),
            ],
            asked.rounds,
        )
    return [
        Result(
            scenario="submit",
            unit="requests/s",
            ours=ours,
            limit=limit,
            bars=(Bar(0.6, LIMIT),),
        )
    ]


def _contender(name: str, what: str, url: str, seconds: float) -> Contender:
    return Contender(
        name,
        what,
        measure=lambda: _requests_per_sec(url, seconds),
        warm_up=lambda: _requests_per_sec(url, 0.5),
    )


def _requests_per_sec(url: str, seconds: float) -> float:
    url += "/api/tasks/run"
    request = load.post(url, BODY)

    async def hammer() -> int:
        requests = load.for_seconds(request, seconds)
        return await load.send(url, requests, connections=CONNECTIONS, status=202)

    return uvloop.run(hammer()) / seconds


SUBMIT = Scenario("submit", "runTask over HTTP, validated and durable", submit)
