"""Hosts that the server answers to, and pages of other origins that may use it."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from aura_aio.model.errors import SettingsError
from tests.conftest import MakeServer
from tests.serving import Served, serving
from tests.tokens import a_token, bearer, put_tokens

PAGE = "https://tools.example.org"
OTHER = "http://localhost:5173"


@pytest.fixture
async def listed(make_server: MakeServer) -> Served:
    """An open server that two origins may use."""
    return await make_server(cors_origins=[PAGE, OTHER])


async def _raw(server: Served, method: str, path: str, **headers: str) -> aiohttp.ClientResponse:
    """A response as a browser gets it; preflights stand in no contract."""
    async with server.session.request(method, server.url + path, headers=headers) as response:
        await response.read()
        return response


def _preflight(method: str, *headers: str, origin: str = PAGE) -> dict[str, str]:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    return asked | ({"Access-Control-Request-Headers": ", ".join(headers)} if headers else {})


@pytest.mark.parametrize("origin", [PAGE, OTHER])
async def test_a_page_of_a_listed_origin_may_use_the_api(listed: Served, origin: str) -> None:
    for method, path in (
        ("POST", "/api/tasks/run"),
        ("GET", "/api/runs"),
        ("GET", "/api/auth/tokens"),
        ("POST", "/api/auth/tokens"),
        ("PATCH", "/api/tasks/x/priority"),
        ("DELETE", "/api/auth/tokens/x"),
    ):
        asked = _preflight(
            method, "authorization", "content-type", "idempotency-key", origin=origin
        )
        allowed = await _raw(listed, "OPTIONS", path, **asked)
        assert allowed.status == 200, (method, path)
        assert allowed.headers["Access-Control-Allow-Origin"] == origin
        assert allowed.headers["Access-Control-Allow-Methods"] == method
        sent = allowed.headers["Access-Control-Allow-Headers"].lower()
        assert set(sent.split(",")) == {"authorization", "content-type", "idempotency-key"}
        assert "Access-Control-Allow-Credentials" not in allowed.headers
    body = {"plan_name": "hello", "task_name": "greet", "inputs": {"name": "Ada"}}
    started = await listed.post("/api/tasks/run", body, headers={"Origin": origin})
    assert started.status == 202
    assert started.headers["Access-Control-Allow-Origin"] == origin
    assert "Location" in started.headers["Access-Control-Expose-Headers"]
    assert "Origin" in started.headers["Vary"]


async def test_a_page_sees_why_it_was_refused(listed: Served) -> None:
    missing = await listed.get("/api/runs/nobody", headers={"Origin": PAGE})
    assert missing.status == 404
    assert missing.headers["Access-Control-Allow-Origin"] == PAGE
    invalid = await listed.post("/api/tasks/run", {}, headers={"Origin": PAGE})
    assert invalid.status == 422
    assert invalid.headers["Access-Control-Allow-Origin"] == PAGE


async def test_other_origins_may_not(listed: Served) -> None:
    for origin in ("https://evil.example", "null", f"{PAGE}.evil.example", PAGE.upper()):
        refused = await _raw(listed, "OPTIONS", "/api/runs", **_preflight("GET", origin=origin))
        assert refused.status == 403
        assert "Access-Control-Allow-Origin" not in refused.headers
        asked = await listed.get("/api/runs", headers={"Origin": origin})
        assert asked.status == 403
        assert "Access-Control-Allow-Origin" not in asked.headers
    odd = await _raw(listed, "OPTIONS", "/api/runs", **_preflight("GET", "x-odd"))
    assert odd.status == 403


async def test_pages_of_the_server_itself_are_not_for_others(listed: Served) -> None:
    page = await _raw(listed, "GET", "/openapi.yaml", Origin=PAGE)
    assert page.status == 200
    assert "Access-Control-Allow-Origin" not in page.headers
    own = await listed.get("/api/runs", headers={"Origin": listed.url})
    assert own.status == 200
    assert "Access-Control-Allow-Origin" not in own.headers


async def test_a_websocket_of_a_listed_origin_is_let_in(listed: Served) -> None:
    url = f"{listed.url}/ws/logs"
    async with listed.session.ws_connect(url, origin=PAGE) as ws:
        assert (await ws.receive_json())["type"] == "hello"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await listed.session.ws_connect(url, origin="https://evil.example")
    assert refused.value.status == 403


async def test_a_preflight_needs_no_token_and_its_request_does(
    make_server: MakeServer, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    tokens = await put_tokens(data, reader=a_token("read"))
    server = await make_server(data_dir=str(data), cors_origins=[PAGE])
    asked = await _raw(server, "OPTIONS", "/api/runs", **_preflight("GET", "authorization"))
    assert asked.status == 200
    refused = await server.get("/api/runs", headers={"Origin": PAGE})
    assert refused.status == 401
    assert refused.headers["Access-Control-Allow-Origin"] == PAGE
    headers = {"Origin": PAGE} | bearer(tokens["reader"])
    assert (await server.get("/api/runs", headers=headers)).status == 200


async def test_without_listed_origins_there_is_no_cors(server: Served) -> None:
    asked = await _raw(server, "OPTIONS", "/api/runs", **_preflight("GET", origin=server.url))
    assert asked.status == 204  # as any OPTIONS
    assert "Access-Control-Allow-Origin" not in asked.headers


@pytest.mark.parametrize(
    "origin", ["*", "tools.example.org", f"{PAGE}/", "ftp://x", "https://", "HTTPS://tools.example"]
)
async def test_an_origin_that_is_none_stops_the_start(tmp_path: Path, origin: str) -> None:
    with pytest.raises(SettingsError, match="an origin is written like"):
        async with serving(data_dir=str(tmp_path), cors_origins=[origin]):
            pass


async def test_allowed_hosts_are_answered_and_need_a_token(
    make_server: MakeServer, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    tokens = await put_tokens(data, admin=a_token("admin"))
    name = "Aura.example.org"
    server = await make_server(data_dir=str(data), allowed_hosts=[name])
    admin = bearer(tokens["admin"])

    async def status(**headers: str) -> Any:
        return (await server.get("/api/runs", headers=admin | headers)).status

    assert await status(Host="aura.example.org") == 200
    assert await status(Host="AURA.example.org:8443") == 200
    assert await status(Host="other.example.org") == 403
    assert await status(Host="192.0.2.1") == 403, "it listens on loopback only"
    assert await status(Host=name, Origin=f"https://{name}") == 200
    assert await status(Host=name, Origin="https://other.example.org") == 403
    assert (await server.get("/api/runs", headers={"Host": name})).status == 401


async def test_an_open_address_answers_to_addresses_but_not_to_names(
    make_server: MakeServer, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    tokens = await put_tokens(data, admin=a_token("admin"))
    server = await make_server(data_dir=str(data), host="0.0.0.0")
    server.url = server.url.replace("0.0.0.0", "127.0.0.1")
    admin = bearer(tokens["admin"])
    for host, status in (
        ("192.0.2.1:18098", 200),
        ("[2001:db8::1]:18098", 200),
        ("localhost", 200),
        ("evil.example", 403),
        ("192.0.2.1.evil.example", 403),
    ):
        answer = await server.get("/api/runs", headers=admin | {"Host": host})
        assert answer.status == status, host
    assert (await server.get("/api/runs")).status == 401
    assert (await server.get("/healthz")).status == 200
