"""Only masked frames reach the reader, however they are cut on their way.

Imports pytest and aura_aio.api.masked.
"""

import pytest

from aura_aio.api.masked import MaskedOnly

MASK = b"\1\2\3\4"
SHORT = b"\x81\x82" + MASK + b"ab"
EMPTY = b"\x89\x80" + MASK
MIDDLE = b"\x82\xfe" + (300).to_bytes(2, "big") + MASK + b"\x81\x02" * 150
LONG = b"\x82\xff" + (70_000).to_bytes(8, "big") + MASK + b"\x81" * 70_000
REFUSED = b"\xf0\x80\0\0\0\0"


class Taken:
    """Notes what it is given, and that it is over at `REFUSED`."""

    def __init__(self) -> None:
        self.data = b""
        self.ended = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take it."""
        self.data += data
        return data == REFUSED, b""

    def feed_eof(self) -> None:
        """No more comes."""
        self.ended = True


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000, 100_000])
def test_masked_frames_pass(size: int) -> None:
    sent = SHORT + EMPTY + MIDDLE + LONG + SHORT
    taken = Taken()
    reader = MaskedOnly(taken)
    for start in range(0, len(sent), size):
        assert reader.feed_data(sent[start : start + size]) == (False, b"")
    assert taken.data == sent
    reader.feed_eof()
    assert taken.ended


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
@pytest.mark.parametrize(
    "unmasked", [b"\x81\x02ab", b"\x89\0", b"\x88\x02\x03\xe8", b"\x82\x7e\1\0"]
)
def test_the_first_that_is_not_masked_is_a_breach(size: int, unmasked: bytes) -> None:
    sent = SHORT + MIDDLE + unmasked + SHORT
    taken = Taken()
    reader = MaskedOnly(taken)
    for start in range(0, len(sent), size):
        over, _ = reader.feed_data(sent[start : start + size])
        if over:
            break
    assert taken.data == SHORT + MIDDLE + REFUSED
