"""Tokens and tickets in use: made, listed, revoked; a ticket is good for one connection."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import MakeServer
from tests.serving import Served, serving
from tests.streams.clients import Monitor
from tests.tokens import a_token, bearer, put_odd_tokens, put_tokens


@pytest.fixture
async def guarded(make_server: MakeServer, tmp_path: Path) -> tuple[Served, dict[str, str]]:
    """A server that asks for tokens, with an admin and a reader."""
    data = tmp_path / "data"
    tokens = await put_tokens(data, admin=a_token("admin"), reader=a_token("read", "hello"))
    return await make_server(data_dir=str(data)), {
        name: bearer(secret)["Authorization"] for name, secret in tokens.items()
    }


async def _ticket(server: Served, token: str) -> str:
    made = await server.post("/api/auth/ticket", headers={"Authorization": token})
    assert made.status == 201
    ticket: str = made.json["ticket"]
    return ticket


async def _refusal(server: Served, query: str) -> Any:
    """The status with which a WebSocket is refused; the answer to a plain request is the same."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await server.session.ws_connect(f"{server.url}/ws/logs{query}")
    return refused.value.status


async def test_a_ticket_opens_one_connection(guarded: tuple[Served, dict[str, str]]) -> None:
    server, tokens = guarded
    assert await _refusal(server, "") == 401
    ticket = await _ticket(server, tokens["admin"])
    async with server.session.ws_connect(f"{server.url}/ws/logs?ticket={ticket}&tail=1") as ws:
        await Monitor(ws).up_to("caught_up")
    assert await _refusal(server, f"?ticket={ticket}") == 401
    assert await _refusal(server, "?ticket=nonsense") == 401
    other = await _ticket(server, tokens["admin"])
    assert (await server.get(f"/api/runs?ticket={other}")).status == 401
    again = await server.get(f"/api/logs/stream?ticket={other}&cid=nobody")
    assert again.status == 404


async def test_a_ticket_is_bound_to_the_plans_of_its_token(
    guarded: tuple[Served, dict[str, str]],
) -> None:
    server, tokens = guarded
    ticket = await _ticket(server, tokens["reader"])
    async with server.session.ws_connect(f"{server.url}/ws/logs?since=0&ticket={ticket}") as ws:
        messages = await Monitor(ws).up_to("caught_up")
        assert [message["type"] for message in messages] == ["hello", "caught_up"]


async def test_a_ticket_dies_with_its_token(guarded: tuple[Served, dict[str, str]]) -> None:
    server, tokens = guarded
    ticket = await _ticket(server, tokens["reader"])
    await _revoke(server, tokens["admin"], "read")
    assert await _refusal(server, f"?ticket={ticket}") == 401


async def test_a_ticket_is_for_everybody_where_the_server_is_open(server: Served) -> None:
    ticket = (await server.post("/api/auth/ticket")).json["ticket"]
    async with server.session.ws_connect(f"{server.url}/ws/logs?ticket={ticket}") as ws:
        await Monitor(ws).ready()
    async with server.session.ws_connect(f"{server.url}/ws/logs") as ws:
        await Monitor(ws).ready()
    assert await _refusal(server, f"?ticket={ticket}") == 401


async def test_revoking_a_token_ends_its_connections(
    guarded: tuple[Served, dict[str, str]],
) -> None:
    server, tokens = guarded
    ticket = await _ticket(server, tokens["reader"])
    async with (
        server.session.ws_connect(f"{server.url}/ws/logs?ticket={ticket}") as by_ticket,
        server.session.ws_connect(
            f"{server.url}/ws/logs", headers={"Authorization": tokens["reader"]}
        ) as by_token,
        server.session.ws_connect(
            f"{server.url}/ws/logs", headers={"Authorization": tokens["admin"]}
        ) as of_another,
        server.session.get(
            f"{server.url}/api/logs/stream", headers={"Authorization": tokens["reader"]}
        ) as events,
    ):
        monitors = [Monitor(by_ticket), Monitor(by_token)]
        for monitor in (*monitors, Monitor(of_another)):
            await monitor.ready()
        await _revoke(server, tokens["admin"], "read")
        for monitor in monitors:
            assert (await monitor.message("error"))["type"].endswith("invalid-token")
            assert await monitor.next() is None
            assert monitor.code == 1008
        async with asyncio.timeout(10):
            assert b"invalid-token" in await events.content.read()
        await Monitor(of_another).say(type="ping")
        kinds = [message["type"] for message in await Monitor(of_another).up_to("pong")]
        assert kinds[-1] == "pong"
    refused = await server.get("/api/runs", headers={"Authorization": tokens["reader"]})
    assert "revoked" in refused.json["detail"]


async def test_the_first_token_closes_the_door_and_ends_who_came_without(server: Served) -> None:
    async with server.session.ws_connect(f"{server.url}/ws/logs") as ws:
        monitor = await Monitor(ws).ready()
        made = await server.post("/api/auth/tokens", {"scope": "admin"})
        assert made.status == 201
        *_, error = await monitor.up_to("error")
        assert error["payload"]["type"].endswith("unauthenticated")
        assert await monitor.next() is None
    assert (await server.get("/api/runs")).status == 401
    headers = bearer(made.json["secret"])
    assert (await server.get("/api/runs", headers=headers)).status == 200
    token_id = made.json["token"]["id"]
    await server.request("DELETE", f"/api/auth/tokens/{token_id}", headers=headers)
    assert (await server.get("/api/runs")).status == 401, "it does not open by itself"


async def test_a_ticket_of_the_open_door_is_none_once_it_is_closed(server: Served) -> None:
    ticket = (await server.post("/api/auth/ticket")).json["ticket"]
    await server.post("/api/auth/tokens", {"scope": "admin"})
    assert await _refusal(server, f"?ticket={ticket}") == 401


async def test_never_means_never(make_server: MakeServer) -> None:
    server = await make_server(require_token="never")
    made = await server.post("/api/auth/tokens", {"scope": "read"})
    assert (await server.post("/api/system/stop")).status == 202
    headers = bearer(made.json["secret"])
    assert (await server.post("/api/system/stop", headers=headers)).status == 403


async def test_a_token_expires_and_its_connections_with_it(
    guarded: tuple[Served, dict[str, str]],
) -> None:
    server, tokens = guarded
    admin = {"Authorization": tokens["admin"]}
    brief = {"scope": "read", "expires_in_sec": 3}
    made = await server.post("/api/auth/tokens", brief, headers=admin)
    headers = bearer(made.json["secret"])
    async with server.session.ws_connect(f"{server.url}/ws/logs", headers=headers) as ws:
        *_, error = await Monitor(ws).up_to("error")
        assert error["payload"]["type"].endswith("invalid-token")
    expired = await server.get("/api/runs", headers=headers)
    assert (expired.status, "expired" in expired.json["detail"]) == (401, True)


async def test_uses_are_told_and_survive(tmp_path: Path) -> None:
    data = tmp_path / "data"
    old = (a_token("read", name="old"), {"last_used_at": 1.0, "revoked_at": 2.0})
    tokens = await put_odd_tokens(
        data,
        admin=(a_token("admin", name="Ada"), {}),
        used=(a_token("read", name="used"), {}),
        unused=(a_token("read", name="unused"), {}),
        old=old,
    )
    for is_restarted in (False, True):
        async with serving(data_dir=str(data)) as server:
            if not is_restarted:
                assert (await server.get("/api/runs", headers=bearer(tokens["used"]))).status == 200
            listed = await server.get("/api/auth/tokens", headers=bearer(tokens["admin"]))
            uses = {each["name"]: each.get("last_used_at") for each in listed.json["items"]}
            assert uses["unused"] is None
            assert uses["old"] == "1970-01-01T00:00:01.000000Z"
            assert uses["used"] > "2026"
            assert not any(secret in listed.body.decode() for secret in tokens.values())


async def test_an_unknown_token_cannot_be_revoked(guarded: tuple[Served, dict[str, str]]) -> None:
    server, tokens = guarded
    headers = {"Authorization": tokens["admin"]}
    missing = await server.request("DELETE", "/api/auth/tokens/nobody", headers=headers)
    assert (missing.status, missing.json["type"]) == (404, "urn:aura:problem:token-not-found")


async def _revoke(server: Served, admin: str, scope: str) -> None:
    headers = {"Authorization": admin}
    listed = (await server.get("/api/auth/tokens", headers=headers)).json["items"]
    (token_id,) = (each["id"] for each in listed if each["scope"] == scope)
    path = f"/api/auth/tokens/{token_id}"
    for _ in range(2):
        revoked = await server.request("DELETE", path, headers=headers)
        assert "revoked_at" in revoked.json
