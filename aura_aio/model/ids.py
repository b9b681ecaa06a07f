"""Ids of runs: UUIDv7 text, which sorts by time (RFC 9562, 5.7).

May import the standard library and `model.clock` only.
"""

import os
from threading import Lock

from aura_aio.model.clock import Clock

_COUNTER_BITS = 12
_COUNTER_STARTS = (1 << _COUNTER_BITS - 1) - 1
_DIGITS = 19
_DRAWN = 430
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The digit that says how the cid is laid out has two bits that do not."""


class CidFactory:
    """Makes cids that grow strictly within one process, whatever the clock does.

    The 12 bits after the millisecond are a counter (RFC 9562, 6.2, method 1): it starts anew at
    random in the lower half with each millisecond, and borrows from the next millisecond when it
    overflows. Random digits are the system's; they are asked for 4 KiB at a time, for which the
    system takes as long as for eight bytes. A factory does not outlive a fork.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._tick = 0
        self._digits = ""
        self._used = 0

    def __call__(self) -> str:
        """A new cid: 36 characters, lower case, greater than every one before."""
        now = int(self._clock.now() * 1000) << _COUNTER_BITS
        with self._lock:
            digits = self._random_digits()
            fresh = now | int(digits[:3], 16) & _COUNTER_STARTS
            self._tick = tick = max(fresh, self._tick + 1)
        variant = _VARIANTS[digits[3]]
        return (
            f"{tick >> 28:08x}-{tick >> 12 & 0xFFFF:04x}-7{tick & 0xFFF:03x}"
            f"-{variant}{digits[4:7]}-{digits[7:]}"
        )

    def _random_digits(self) -> str:
        """Three for what the counter starts with, and 16 for the end."""
        if self._used == len(self._digits):
            self._digits, self._used = os.urandom(_DIGITS * _DRAWN // 2).hex(), 0
        begin, self._used = self._used, self._used + _DIGITS
        return self._digits[begin : self._used]


def first_cid_at(seconds: float) -> str:
    """A text that is not after any cid that is made at this time (seconds since the epoch), and
    after all that were made before.
    """
    digits = f"{max(0, int(seconds * 1000)):012x}"
    return f"{digits[:8]}-{digits[8:]}"
