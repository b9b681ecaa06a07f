"""Ids of runs: UUIDv7 text, which sorts by time (RFC 9562, 5.7).

May import the standard library and `model.clock` only.
"""

import secrets
from threading import Lock

from aura_aio.model.clock import Clock

_COUNTER_BITS = 12
_RANDOM_BITS = 62


class CidFactory:
    """Makes cids that grow strictly within one process, whatever the clock does.

    The 12 bits after the millisecond are a counter (RFC 9562, 6.2, method 1): it starts anew at
    random in the lower half with each millisecond, and borrows from the next millisecond when it
    overflows.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._tick = 0

    def __call__(self) -> str:
        """A new cid: 36 characters, lower case, greater than every one before."""
        fresh = (int(self._clock.now() * 1000) << _COUNTER_BITS) | secrets.randbits(
            _COUNTER_BITS - 1
        )
        with self._lock:
            self._tick = tick = max(fresh, self._tick + 1)
        millisecond, counter = tick >> _COUNTER_BITS, tick & 0xFFF
        high = (millisecond << 16) | 0x7000 | counter
        low = (0b10 << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
        text = f"{high:016x}{low:016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def first_cid_at(seconds: float) -> str:
    """A text that is not after any cid that is made at this time (seconds since the epoch), and
    after all that were made before.
    """
    digits = f"{max(0, int(seconds * 1000)):012x}"
    return f"{digits[:8]}-{digits[8:]}"
