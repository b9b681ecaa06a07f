"""Ids of runs: UUIDv7 text, which sorts by time (RFC 9562, 5.7).

May import the standard library and `model.clock` only.
"""

import os
from threading import Lock

from aura_aio.model.clock import Clock

_COUNTER_BITS = 12
_RANDOM_BITS = 62
_RANDOM_MASK = (1 << _RANDOM_BITS) - 1
_PORTION_MASK = (1 << _RANDOM_BITS + _COUNTER_BITS - 1) - 1
_PORTION_BYTES = 10
_PORTIONS = 400


class CidFactory:
    """Makes cids that grow strictly within one process, whatever the clock does.

    The 12 bits after the millisecond are a counter (RFC 9562, 6.2, method 1): it starts anew at
    random in the lower half with each millisecond, and borrows from the next millisecond when it
    overflows. Random bits are the system's; they are asked for 4 KiB at a time, for which the
    system takes as long as for eight bytes. A factory does not outlive a fork.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._tick = 0
        self._chance = b""
        self._used = 0

    def __call__(self) -> str:
        """A new cid: 36 characters, lower case, greater than every one before."""
        now = int(self._clock.now() * 1000) << _COUNTER_BITS
        with self._lock:
            random = self._random()
            fresh = now | random >> _RANDOM_BITS
            self._tick = tick = max(fresh, self._tick + 1)
        millisecond, counter = tick >> _COUNTER_BITS, tick & 0xFFF
        high = (millisecond << 16) | 0x7000 | counter
        low = (0b10 << _RANDOM_BITS) | random & _RANDOM_MASK
        text = f"{high:016x}{low:016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _random(self) -> int:
        """Random bits: those of the cid's end, and before them those its counter starts with."""
        if self._used == len(self._chance):
            self._chance, self._used = os.urandom(_PORTION_BYTES * _PORTIONS), 0
        begin, self._used = self._used, self._used + _PORTION_BYTES
        return int.from_bytes(self._chance[begin : self._used]) & _PORTION_MASK


def first_cid_at(seconds: float) -> str:
    """A text that is not after any cid that is made at this time (seconds since the epoch), and
    after all that were made before.
    """
    digits = f"{max(0, int(seconds * 1000)):012x}"
    return f"{digits[:8]}-{digits[8:]}"
