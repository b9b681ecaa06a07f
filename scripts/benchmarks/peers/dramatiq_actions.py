"""What Dramatiq's workers do, with the broker that the variable BENCH_REDIS names.

Imports the standard library, dramatiq, and its neighbour `talk`.
"""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from benchmarks.peers import talk

_url = os.environ["BENCH_REDIS"]
_broker = RedisBroker(url=_url)
_broker.add_middleware(Results(backend=RedisBackend(url=_url)))
dramatiq.set_broker(_broker)


@dramatiq.actor(store_results=True)
def noop() -> None:
    """Return at once."""


@dramatiq.actor(store_results=True)
def say() -> None:
    """Tell that it has begun."""
    talk.ring()
