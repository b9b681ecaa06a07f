"""Every link of the contract leads somewhere: what is answered is what the next operation takes.

Imports the fixtures, the contract with its example requests, and `tests.serving`.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from aura_aio.contract.document import load_contract
from aura_aio.contract.references import operations, resolve
from tests.conftest import MakeServer
from tests.contract.example_requests import ExampleRequest, example_requests
from tests.serving import Response, Served

CONTRACT = load_contract()
REQUESTS = {each.operation.operation_id: each for each in example_requests(CONTRACT)}
OF_THE_BODY, OF_THE_PATH = "$response.body#", "$request.path."
SCHEDULE = {"id": "greet-nightly", "plan_name": "hello", "task_name": "greet", "every_sec": 86_400}


class Link(NamedTuple):
    """From an answer of one operation to another operation."""

    source: ExampleRequest
    status: int
    target: ExampleRequest
    parameters: dict[str, str]


def _links() -> Iterator[Link]:
    document = CONTRACT.as_dict()
    for _, _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            for reference in resolve(document, response).get("links", {}).values():
                link: Any = resolve(document, reference)
                source, target = REQUESTS[operation["operationId"]], REQUESTS[link["operationId"]]
                yield Link(source, int(status), target, link["parameters"])


LINKS = list(_links())


def _by_way() -> dict[tuple[str, str], Link]:
    return {
        (each.source.operation.operation_id, each.target.operation.operation_id): each
        for each in LINKS
    }


@pytest.fixture
async def server(make_server: MakeServer) -> Served:
    """A server in which runs wait, and that stays open."""
    server = await make_server(start=False, workers=0, require_token="never")
    assert (await server.post("/api/schedules", SCHEDULE)).status == 201
    return server


async def _asked(server: Served, request: ExampleRequest, **known: str) -> Response:
    """The answer to the example, with what is `known` in its path."""
    path, options = request.operation.path, request.options
    for parameter in request.operation.path_parameters:
        value = known.get(parameter.name, parameter.schema.get("example"))
        path = path.replace("{" + parameter.name + "}", quote(str(value), safe=""))
    return await server.request(request.operation.method, path, **options)


async def _known(server: Served, operation_id: str) -> dict[str, str]:
    """What there is for an operation to be asked about: it is a new run for each."""
    cid = await server.run("hello", "greet")
    if operation_id == "retryTask":
        assert (await server.post(f"/api/tasks/{cid}/cancel")).status == 202
    return {"cid": cid, "plan_name": "hello", "schedule_id": "greet-nightly"}


def _followed(link: Link, known: dict[str, str], answer: Response) -> dict[str, str]:
    """What the link takes out of the answer, or of the path that was asked."""
    found = {}
    for name, expression in link.parameters.items():
        if expression.startswith(OF_THE_PATH):
            found[name] = known[expression.removeprefix(OF_THE_PATH)]
            continue
        value = answer.json
        for part in expression.removeprefix(f"{OF_THE_BODY}/").split("/"):
            value = value[int(part) if re.fullmatch("[0-9]+", part) else part]
        found[name] = value
    return found


def test_there_is_something_to_follow() -> None:
    assert len(LINKS) > 50
    ways = set(_by_way())
    assert {("runTask", "getRun"), ("getRun", "cancelTask"), ("cancelTask", "retryTask")} <= ways


async def test_every_link_leads_somewhere(server: Served) -> None:
    for link in LINKS:
        source, target = link.source.operation, link.target.operation
        way = f"{source.operation_id} → {target.operation_id}"
        known = await _known(server, source.operation_id)
        if source.operation_id == "createSchedule":
            await server.request("DELETE", "/api/schedules/greet-nightly")
        answer = await _asked(server, link.source, **known)
        assert answer.status == link.status, (way, answer.body)
        taken = _followed(link, known, answer)
        assert taken.keys() == {each.name for each in target.path_parameters}, way
        reached = await _asked(server, link.target, **taken)
        waits = target.operation_id == "retryTask" and source.operation_id != "cancelTask"
        assert reached.status == (409 if waits else target.success.status), (way, reached.body)
        if target.operation_id == "deleteSchedule":
            assert (await server.post("/api/schedules", SCHEDULE)).status == 201


async def test_a_run_is_followed_to_its_end_and_done_over_by_links_alone(server: Served) -> None:
    operation_id, known = "runTask", dict[str, str]()
    answer = await _asked(server, REQUESTS[operation_id])
    for following, status in (
        ("getRun", "queued"),
        ("cancelTask", "cancelled"),
        ("retryTask", "queued"),
        ("getRun", "queued"),
    ):
        link = _by_way()[operation_id, following]
        known = _followed(link, known, answer)
        answer = await _asked(server, link.target, **known)
        assert answer.json["status"] == status
        operation_id = following
    assert answer.json["retry_of"]
