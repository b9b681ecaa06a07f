"""Operations that will go, in a contract made for this test: every answer of them says so."""

from functools import cache

import pytest
import yaml

from aura_aio import server as server_module
from aura_aio.contract.document import Contract, load_contract, view
from tests.conftest import MakeServer

AT = {"deprecated": True, "x-deprecated-at": "2026-03-02T01:00:00+01:00"}


@cache
def with_deprecated() -> Contract:
    """The contract with three operations that will go."""
    document = load_contract().as_dict()
    document["paths"]["/api/runs/{cid}"]["get"] |= AT
    document["paths"]["/api/plans"]["get"] |= AT | {"x-sunset": "2027-01-31T00:00:00Z"}
    document["paths"]["/api/logs/stream"]["get"] |= AT
    return view(document, yaml.safe_dump(document).encode())


@pytest.fixture(autouse=True)
def deprecated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has the contract of this test."""
    monkeypatch.setattr(server_module, "load_contract", with_deprecated)


async def test_every_answer_of_a_deprecated_operation_says_so(make_server: MakeServer) -> None:
    server = await make_server()
    plans = await server.get("/api/plans")
    assert plans.headers["Deprecation"] == "@1772409600"
    assert plans.headers["Sunset"] == "Sun, 31 Jan 2027 00:00:00 GMT"
    again = await server.get("/api/plans", headers={"If-None-Match": plans.headers["ETag"]})
    assert (again.status, again.headers["Deprecation"]) == (304, "@1772409600")
    missing = await server.get("/api/runs/none")
    assert (missing.status, missing.headers["Deprecation"]) == (404, "@1772409600")
    assert "Sunset" not in missing.headers
    cid = (await server.done("hello", "greet"))["cid"]
    stream = await server.get(f"/api/logs/stream?cid={cid}")
    assert stream.headers["Deprecation"] == "@1772409600"


async def test_answers_of_what_stays_say_nothing(make_server: MakeServer) -> None:
    server = await make_server()
    for path in ("/api/runs", "/healthz", "/openapi.yaml"):
        async with server.session.get(server.url + path) as answer:
            assert answer.status == 200
            assert not {"Deprecation", "Sunset"} & answer.headers.keys()


async def test_the_contract_that_is_served_says_it_too(make_server: MakeServer) -> None:
    server = await make_server()
    async with server.session.get(f"{server.url}/openapi-3.0.json") as answer:
        operation = (await answer.json())["paths"]["/api/plans"]["get"]
    assert (operation["deprecated"], operation["x-sunset"]) == (True, "2027-01-31T00:00:00Z")
