"""Answers that are there as a whole, and are written in one go.

May import aiohttp only.
"""

from typing import Final, cast

from aiohttp import ClientConnectionResetError, HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import SERVER_SOFTWARE
from aiohttp.http_writer import _serialize_headers

_NO_BODY: Final = (204, 304)


class ShortAnswer(web.Response):
    """An answer whose body are bytes. On a connection that goes on, of HTTP/1.1, and not
    compressed, its head is put together right here, and written with the body: aiohttp would ask
    nine times whether there is something to it that there is not. All else it does itself.
    """

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Let who wants to add headers, and write it all, if it is such an answer."""
        if self._is_special(request):
            return await super().prepare(request)
        await request._prepare_hook(self)
        headers, body = self.headers, cast(bytes, self.body)
        headers[hdrs.CONTENT_LENGTH] = str(len(body))
        headers[hdrs.DATE] = rfc822_formatted_time()
        headers[hdrs.SERVER] = SERVER_SOFTWARE
        head = _serialize_headers(f"HTTP/1.1 {self.status} {self.reason}", headers)
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ClientConnectionResetError("Cannot write to closing transport")
        transport.write(head + body)
        self._keep_alive = True
        self._eof_sent = True
        return None

    def _is_special(self, request: web.BaseRequest) -> bool:
        return (
            self.prepared
            or self.keep_alive is not None
            or self.compression
            or request.version != HttpVersion11
            or not request.keep_alive
            or request.method == hdrs.METH_HEAD
            or self.status in _NO_BODY
            or not isinstance(self.body, bytes)
        )
