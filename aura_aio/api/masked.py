"""What stands between a connection and aiohttp's reader of WebSocket frames: only masked ones pass.

May import the standard library only.
"""

from typing import Final, Protocol

_NO_FRAME: Final = b"\xf0\x80\0\0\0\0"
"""What every reader refuses as a breach of the protocol: reserved bits."""
_MASKED: Final = 0x80
_MASK_BYTES: Final = 4
_LENGTH_BYTES: Final = {126: 2, 127: 8}


class FrameReader(Protocol):
    """As aiohttp's protocol knows it: takes what has come, answers (it is over, what is left)."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take what has come."""
        ...

    def feed_eof(self) -> None:
        """No more comes."""
        ...


class MaskedOnly:
    """Passes frames on to `reader` as long as each is masked. At the first that is not, `reader`
    gets something it closes the connection for, with 1002, as a server must (RFC 6455, 5.1):
    aiohttp takes such a frame like any other.
    """

    def __init__(self, reader: FrameReader) -> None:
        self._reader = reader
        self._kept = b""
        """The first byte of a frame whose second one has not come."""
        self._head = bytearray()
        self._left = 0
        """So many bytes of the frame are still to come, its mask among them."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take what has come."""
        data = self._kept + data
        self._kept = b""
        unmasked = self._first_unmasked(data)
        if unmasked is not None:
            self._reader.feed_data(data[:unmasked])
            return self._reader.feed_data(_NO_FRAME)
        if len(self._head) == 1:
            self._head.clear()
            data, self._kept = data[:-1], data[-1:]
        return self._reader.feed_data(data)

    def feed_eof(self) -> None:
        """No more comes."""
        self._reader.feed_eof()

    def _first_unmasked(self, data: bytes) -> int | None:
        """Where the first frame begins that is not masked."""
        at = 0
        while at < len(data):
            if self._left:
                taken = min(self._left, len(data) - at)
                self._left -= taken
                at += taken
                continue
            self._head.append(data[at])
            at += 1
            if len(self._head) == 2 and not self._head[1] & _MASKED:
                return at - 2
            self._end_head()
        return None

    def _end_head(self) -> None:
        """If the head is whole: what it says of the length is to come."""
        if len(self._head) < 2:
            return
        size = self._head[1] & ~_MASKED
        more = _LENGTH_BYTES.get(size, 0)
        if len(self._head) == 2 + more:
            self._left = _MASK_BYTES + (int.from_bytes(self._head[2:]) if more else size)
            self._head.clear()
