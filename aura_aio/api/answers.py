"""Successful answers: JSON bodies and their headers.

May import aiohttp and model only.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from aura_aio.model import json


def answer(
    body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """`body` as JSON; data is never cached, since it changes at any time."""
    return web.Response(
        status=status,
        body=json.dumps(body),
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
