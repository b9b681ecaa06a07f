"""Sends callbacks: POSTs signed by Standard Webhooks, to addresses that are allowed, and no others.

May import aiohttp, standardwebhooks, scheduler, model and the views. docs/decisions/0026.
"""

import asyncio
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp
from aiohttp import hdrs
from msgspec.structs import replace
from standardwebhooks import Webhook

import aura_aio
from aura_aio.api import views
from aura_aio.model import json
from aura_aio.model.callback import CallbackRefused
from aura_aio.model.clock import Clock
from aura_aio.model.event import RUN_FINISHED
from aura_aio.model.run import Run
from aura_aio.model.spans import CallbackSpans
from aura_aio.model.trace import TraceContext
from aura_aio.scheduler.callback_targets import Targets
from aura_aio.scheduler.callbacks import Reply

_USER_AGENT: Final = f"aura-aio/{aura_aio.__version__}"
_LONGEST_ERROR: Final = 500


class _NotAllowed(OSError):
    """The connection would go where callbacks may not go."""


class CallbackSender:
    """Implements `scheduler.callbacks.Sender` over HTTP.

    Each try has a connection of its own, which is checked where it is made: whatever a name is
    resolved to, nothing is sent to an address that is not allowed. No redirect is followed, no
    proxy is asked, and of the answer no more is read than its head.
    """

    def __init__(
        self,
        targets: Targets,
        secrets: Sequence[str],
        clock: Clock,
        spans: CallbackSpans | None = None,
        *,
        timeout_sec: float,
    ) -> None:
        """With `spans` each try has a span; else it is one that nobody makes."""
        self._targets = targets
        self._spans = spans
        self._signers = [Webhook(secret) for secret in secrets]
        self._clock = clock
        self._timeout_sec = timeout_sec

    async def send(self, run: Run, url: str) -> Reply:
        """POST the event of the run's end to `url`; see `Sender`."""
        span = None if self._spans is None else self._spans.callback(run)
        if span is None:
            return await self._send(run, url, run.trace and run.trace.child())
        reply = await self._send(run, url, span.trace)
        span.end(reply.status_code)
        return reply

    async def _send(self, run: Run, url: str, trace: TraceContext | None) -> Reply:
        body = json.dumps(run_finished(run))
        try:
            self._targets.check(url)
            async with asyncio.timeout(self._timeout_sec):
                return await self._post(url, body, self._headers(run, body, trace))
        except CallbackRefused as error:
            return Reply(error=str(error))
        except TimeoutError:
            return Reply(error=f"There was no answer within {self._timeout_sec:g} seconds.")
        except aiohttp.InvalidURL:  # its own text would show what stands in it
            return Reply(error="The callback_url is no address.")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # ValueError: what is a host to us may be none to the resolver (IDNA).
            return Reply(error=_sentence(error))

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Reply:
        connector = aiohttp.TCPConnector(force_close=True, socket_factory=self._socket)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            error = None
            if not 200 <= response.status < 300:
                error = f"The receiver answered {response.status}."
            return Reply(response.status, error, self._retry_after(response))

    def _headers(self, run: Run, body: bytes, trace: TraceContext | None) -> dict[str, str]:
        """The same `webhook-id` in each try, so that a receiver knows what it was told before."""
        message_id = f"msg_{run.cid}"
        now = datetime.fromtimestamp(int(self._clock.now()), UTC)
        signed = (each.sign(message_id, now, body.decode()) for each in self._signers)
        return ({} if trace is None else trace.headers) | {
            hdrs.CONTENT_TYPE: "application/json",
            hdrs.USER_AGENT: _USER_AGENT,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signed),
        }

    def _socket(self, address: tuple[Any, ...]) -> socket.socket:
        """A socket for the address that is about to be connected to, if it is allowed."""
        family, kind, protocol, _, place = address
        try:
            self._targets.check_address(place[0])
        except CallbackRefused as error:
            raise _NotAllowed(str(error)) from error
        return socket.socket(family, kind, protocol)

    def _retry_after(self, response: aiohttp.ClientResponse) -> float | None:
        """How long the receiver wants to be left alone, if it says so in a way that is one."""
        text = response.headers.get(hdrs.RETRY_AFTER, "").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - self._clock.now())
        except (ValueError, OverflowError):
            return None


def run_finished(run: Run) -> views.Answer:
    """RunFinishedEvent: a run as lists show it; where in the plan's code it failed stays here."""
    error = None if run.error is None else replace(run.error, traceback=None)
    return {
        "type": RUN_FINISHED,
        "timestamp": views.time(run.finished_at),
        "data": views.run_summary(replace(run, error=error, inputs=None, result=None)),
    }


def _sentence(error: Exception) -> str:
    """Why nothing was delivered: what it began with, which aiohttp only wraps."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, CallbackRefused):
        return str(cause)
    return f"{type(cause).__name__}: {cause}"[:_LONGEST_ERROR]
