"""Successful answers: JSON bodies and their headers.

May import aiohttp, model, and of `api` `short_answers`.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from aura_aio.api.short_answers import ShortAnswer
from aura_aio.model import json

NOT_KEPT: Final = {"Cache-Control": "no-store"}
"""Data changes at any time, and may be nobody else's business."""


def page_answer(request: web.Request, body: Mapping[str, Any]) -> web.Response:
    """A page of a list; when there is a next one, the header `Link` (RFC 8288) has its address."""
    cursor = body.get("next_cursor")
    if cursor is None:
        return answer(body)
    address = request.rel_url.update_query(cursor=cursor)
    return answer(body, headers={"Link": f'<{address}>; rel="next"'})


def tagged_answer(request: web.Request, body: Any) -> web.Response:
    """`body` as JSON with its entity tag; 304 for who has the same already (RFC 9110, 13.1.2)."""
    return tagged_text(request, json.dumps(body))


def tagged_text(request: web.Request, text: bytes) -> web.Response:
    """The same of a JSON text."""
    tag = hashlib.sha256(text).hexdigest()[:32]
    # Weak, because the same answer may be sent compressed or not.
    headers = {"Cache-Control": "no-cache", "ETag": f'W/"{tag}"'}
    if any(each.value in {tag, "*"} for each in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=text, content_type="application/json", headers=headers)


def answer(
    body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """`body` as JSON; data is never cached, since it changes at any time."""
    return ShortAnswer(
        status=status,
        body=json.dumps(body),
        content_type="application/json",
        headers={**NOT_KEPT, **(headers or {})},
    )
