"""Who may do what: every operation of the contract, asked by everybody who might ask.

Nothing here lists operations: a new one is covered as soon as it stands in the contract.
"""

import asyncio
import secrets
from pathlib import Path
from typing import Any

import pytest

from aura_aio.contract.document import Operation, load_contract
from aura_aio.model.access import SECRET_PREFIX, Scope
from tests.backends import DATABASES
from tests.conftest import MakeServer
from tests.contract.example_requests import example_requests
from tests.serving import Response, Served
from tests.tokens import a_token, bearer, put_odd_tokens

REQUESTS = list(example_requests(load_contract()))
GUARDED = [each for each in REQUESTS if each.operation.scope is not None]
FREE = [each for each in REQUESTS if each.operation.scope is None]

UNKNOWN = SECRET_PREFIX + secrets.token_hex(32)
FOREIGN = {"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}


@pytest.fixture
async def guarded(make_server: MakeServer, tmp_path: Path) -> tuple[Served, dict[str, str]]:
    """A server that asks everybody for a token, and tokens of every kind."""
    good = {scope.value: (a_token(scope), dict[str, Any]()) for scope in Scope}
    bad = {
        "expired": (a_token("admin"), {"expires_at": 1.0}),
        "revoked": (a_token("admin"), {"revoked_at": 1.0}),
    }
    narrowed = {f"narrowed_{scope}": (a_token(scope, "hello"), dict[str, Any]()) for scope in Scope}
    tokens = await put_odd_tokens(tmp_path / "data", **good, **bad, **narrowed)
    server = await make_server(data_dir=str(tmp_path / "data"), require_token="always")
    return server, tokens


async def _ask_all(
    server: Served, headers: dict[str, str], query: str = ""
) -> list[tuple[Operation, Response]]:
    """Every operation that needs a token, asked so; each response has passed the contract."""
    return [
        (
            each.operation,
            await server.request(
                each.operation.method, _with(each.path, query), headers=headers, **each.options
            ),
        )
        for each in GUARDED
    ]


def _with(path: str, query: str) -> str:
    return path + query if "?" not in path else path + query.replace("?", "&")


def _kinds(answers: list[tuple[Operation, Response]]) -> set[str]:
    return {_kind(got) for _, got in answers}


def _kind(response: Response) -> str:
    """The last word of a problem's type; `passed` for what access let through."""
    if response.status not in (401, 403):
        return "passed"
    kind: str = response.json["type"].rpartition(":")[2]
    assert ("WWW-Authenticate" in response.headers) == (
        kind in ("unauthenticated", "invalid-token", "insufficient-scope")
    )
    return kind


def test_there_is_something_to_walk() -> None:
    assert len(GUARDED) > 20
    assert {each.operation.tag for each in FREE} == {"health"}
    assert {each.operation.scope for each in GUARDED} == set(Scope)


async def test_without_a_token_nothing_can_be_done(
    guarded: tuple[Served, dict[str, str]],
) -> None:
    server, _ = guarded
    assert _kinds(await _ask_all(server, {})) == {"unauthenticated"}
    basic = {"Authorization": "Basic YWRhOnB3"}
    assert _kinds(await _ask_all(server, basic)) == {"unauthenticated"}
    assert _kinds(await _ask_all(server, {"Authorization": "Bearer"})) == {"invalid-token"}


async def test_a_bad_token_is_as_good_as_none(guarded: tuple[Served, dict[str, str]]) -> None:
    server, tokens = guarded
    for secret in (UNKNOWN, "x", tokens["admin"][:-1], tokens["expired"], tokens["revoked"]):
        assert _kinds(await _ask_all(server, bearer(secret))) == {"invalid-token"}


@pytest.mark.parametrize("scope", Scope)
async def test_a_token_may_do_what_its_scope_holds_and_no_more(
    guarded: tuple[Served, dict[str, str]], scope: Scope
) -> None:
    server, tokens = guarded
    ranks = list(Scope)
    for operation, got in await _ask_all(server, bearer(tokens[scope.value])):
        assert operation.scope is not None
        if ranks.index(scope) >= ranks.index(operation.scope):
            assert _kind(got) == "passed", operation.operation_id
            continue
        assert _kind(got) == "insufficient-scope", operation.operation_id
        assert f"the scope {operation.scope};" in got.json["detail"]
        assert f'scope="{operation.scope}"' in got.headers["WWW-Authenticate"]


@pytest.mark.parametrize("scope", Scope)
async def test_a_narrowed_token_is_kept_from_the_system_as_a_whole(
    guarded: tuple[Served, dict[str, str]], scope: Scope
) -> None:
    server, tokens = guarded
    for operation, got in await _ask_all(server, bearer(tokens[f"narrowed_{scope}"])):
        assert operation.scope is not None
        named = {parameter.name for parameter in operation.path_parameters}
        if not scope.holds(operation.scope):
            assert _kind(got) == "insufficient-scope", operation.operation_id
        elif operation.narrowed or named & {"plan_name", "cid"}:
            assert _kind(got) == "passed", operation.operation_id
        else:
            assert _kind(got) == "narrowed-token", operation.operation_id


async def test_a_token_in_an_address_is_refused(guarded: tuple[Served, dict[str, str]]) -> None:
    server, tokens = guarded
    for name in ("token", "access_token", "ticket", "q"):
        query = f"?{name}={tokens['admin']}"
        for headers in ({}, bearer(tokens["admin"])):
            answers = await _ask_all(server, headers, query)
            assert _kinds(answers) == {"invalid-token"}
            assert not any(tokens["admin"] in got.body.decode() for _, got in answers)


async def test_a_good_token_does_not_help_against_a_foreign_page(
    guarded: tuple[Served, dict[str, str]],
) -> None:
    server, tokens = guarded
    for foreign in FOREIGN:
        for headers in (foreign, bearer(tokens["admin"]) | foreign):
            assert _kinds(await _ask_all(server, headers)) == {"forbidden"}


async def test_health_is_for_everybody_but_foreign_pages(
    guarded: tuple[Served, dict[str, str]],
) -> None:
    server, _ = guarded
    for each in FREE:
        assert (await server.get(each.path)).status == 200
        assert (await server.get(each.path, headers=bearer(UNKNOWN))).status == 200
        for foreign in FOREIGN:
            assert _kind(await server.get(each.path, headers=foreign)) == "forbidden"


async def test_an_open_server_asks_for_nothing(server: Served) -> None:
    for foreign in FOREIGN:
        assert _kinds(await _ask_all(server, foreign)) == {"forbidden"}
    assert _kinds(await _ask_all(server, bearer(UNKNOWN))) == {"invalid-token"}
    expected = "passed"
    for operation, got in await _ask_all(server, {"Authorization": "Basic YWRhOnB3"}):
        assert _kind(got) == expected, operation.operation_id
        if operation.operation_id == "createToken":
            expected = "unauthenticated"  # from the first token on it is not open any more
    assert expected == "unauthenticated"


async def test_no_secret_is_logged_or_kept(
    guarded: tuple[Served, dict[str, str]], tmp_path: Path
) -> None:
    server, tokens = guarded
    admin = bearer(tokens["admin"])
    for secret in tokens.values():
        for query in ("", f"?token={secret}"):
            await _ask_all(server, bearer(secret), query)
            await server.get(f"/api/no/such{query}", headers=bearer(secret))
    made = await server.post("/api/auth/tokens", {"scope": "read", "name": "x"}, headers=admin)
    entries = (await server.get("/api/logs?limit=1000", headers=admin)).body.decode()
    assert "token created" in entries
    kept = await asyncio.to_thread(DATABASES.content, tmp_path / "data")
    assert made.json["token"]["id"].encode() in kept
    for secret in (*tokens.values(), made.json["secret"]):
        assert secret not in entries
        assert secret.encode() not in kept
