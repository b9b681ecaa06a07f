"""What a host of workers answers beside no API.

Imports aiohttp, pytest and aura_aio.api and model.
"""

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from aura_aio.api.metrics import Commits
from aura_aio.api.worker_site import WorkerFigures, answering
from aura_aio.model.errors import NotAlive, SettingsError


class Dying:
    """A host a part of which has died."""

    def check_alive(self) -> None:
        """It is not."""
        raise NotAlive("A part of it has died.")

    async def check_ready(self) -> None:
        """It is, for its store answers."""


@pytest.fixture(params=["127.0.0.1", "[::1]"])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Where such a host answers."""
    family = socket.AF_INET6 if "[" in request.param else socket.AF_INET
    try:
        free = socket.create_server((request.param.strip("[]"), 0), family=family)
    except OSError as error:
        pytest.skip(f"{request.param} cannot be listened on here: {error}")
    with free:
        address = f"{request.param}:{free.getsockname()[1]}"
    figures = WorkerFigures(lambda: (), lambda: Commits(3, 0.5))
    async with answering(address, Dying(), figures):
        yield f"http://{address}"


async def test_who_cannot_go_on_says_so(url: str) -> None:
    async with aiohttp.ClientSession() as client:
        async with client.get(f"{url}/healthz") as health:
            problem = await health.json()
        async with client.get(f"{url}/readyz") as readiness:
            assert await readiness.json() == {"status": "ready"}
        async with client.get(f"{url}/metrics") as metrics:
            told = (await metrics.text()).splitlines()
    assert (health.status, health.content_type) == (503, "application/problem+json")
    assert (problem["type"], problem["detail"], problem["instance"]) == (
        "urn:aura:problem:not-alive",
        "A part of it has died.",
        "/healthz",
    )
    assert "aura_store_commits 3.0" in told
    assert "aura_worker_slots 0.0" in told


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "127.0.0.1.invalid:8081"])
async def test_an_address_that_cannot_be_is_refused_by_its_name(address: str) -> None:
    figures = WorkerFigures(lambda: (), lambda: Commits(0, 0.0))
    with pytest.raises(SettingsError, match=f"^--health-address {address} cannot be listened on"):
        async with answering(address, Dying(), figures):
            pass
