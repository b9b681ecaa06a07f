"""`submit`: runTask, validated and durable, beside an aiohttp handler that does neither.

Imports the other benchmarks.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

import uvloop

from benchmarks import load, processes
from benchmarks.peer import FASTAPI
from benchmarks.results import LIMIT, Bar, Result
from benchmarks.rounds import Contender, alternate
from benchmarks.scenario import Asked, Scenario

CONNECTIONS: Final = 64
BODY: Final = (
    b'{"plan_name":"bench","task_name":"noop","inputs":{},"priority":3,"labels":{"team":"a"}}'
)


def submit(asked: Asked) -> Sequence[Result]:
    """Requests per second of all sides."""
    why = FASTAPI.missing()
    with ExitStack() as stack:
        aura = stack.enter_context(processes.aura("--no-start", "--queue-limit", "100000000"))
        bare = stack.enter_context(processes.bare("benchmarks.bare_server"))
        contenders = [
            _contender(
                "Aura",
                f"runTask, {CONNECTIONS} connections, validated, on disk before the answer",
                aura.url,
                asked.seconds,
            ),
            _contender(
                LIMIT,
                "bare aiohttp handler with uvloop and orjson, same body and answer",
                bare.url,
                asked.seconds,
            ),
        ]
        if why is None:
            python = str(FASTAPI.environment.python)
            peer = stack.enter_context(processes.bare(FASTAPI.program, python=python))
            contenders.append(_contender(FASTAPI.name, FASTAPI.settings, peer.url, asked.seconds))
        ours, limit, *peers = alternate(contenders, asked.rounds)
    return [
        Result(
            scenario="submit",
            unit="requests/s",
            ours=ours,
            limit=limit,
            peers=tuple(peers),
            absent={} if why is None else {FASTAPI.name: why},
            bars=(Bar(0.6, LIMIT), Bar(2, FASTAPI.name)),
        )
    ]


def _contender(name: str, what: str, url: str, seconds: float) -> Contender:
    return Contender(
        name,
        what,
        measure=lambda: requests_per_sec(url, seconds),
        warm_up=lambda: requests_per_sec(url, 0.5),
    )


def requests_per_sec(url: str, seconds: float) -> float:
    """Of runTask, over so long."""
    url += "/api/tasks/run"
    request = load.post(url, BODY)

    async def hammer() -> int:
        requests = load.for_seconds(request, seconds)
        return await load.send(url, requests, connections=CONNECTIONS, status=202)

    return uvloop.run(hammer()) / seconds


SUBMIT: Final = Scenario("submit", "runTask over HTTP, validated and durable", submit)
