"""Answers of deprecated operations say so: `Deprecation` (RFC 9745) and `Sunset` (RFC 8594).

May import aiohttp and contract only.
"""

from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from aura_aio.contract.deprecation import Deprecation
from aura_aio.contract.document import Operation


def announce_deprecations(
    app: web.Application, operations: Mapping[Callable[..., Any], Operation]
) -> None:
    """Have every answer of a deprecated operation carry it, errors included; `operations` by their
    handlers. Nothing is changed when none is deprecated.
    """
    headers = {
        handler: _headers(operation.deprecation)
        for handler, operation in operations.items()
        if operation.deprecation is not None
    }

    async def announce(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(headers.get(request.match_info.handler, {}))

    if headers:
        app.on_response_prepare.append(announce)


def _headers(deprecation: Deprecation) -> Mapping[str, str]:
    headers = {"Deprecation": f"@{int(deprecation.at.timestamp())}"}
    if deprecation.sunset is not None:
        headers["Sunset"] = format_datetime(deprecation.sunset.astimezone(UTC), usegmt=True)
    return headers
