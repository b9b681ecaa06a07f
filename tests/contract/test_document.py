"""The contract document: valid, downgraded, read from where it is, and taught by true examples.

Imports pytest, openapi_spec_validator, aura_aio and `json_schema`.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import aura_aio
from aura_aio.api.schemas import (
    body_schema_of,
    component_schema,
    headers_schema_of,
    path_schema_of,
    query_schema_of,
)
from aura_aio.contract.document import Contract, load_contract
from aura_aio.contract.reading import read_yaml
from aura_aio.contract.references import Json, mapping, operations, resolve
from aura_aio.model.access import Scope
from aura_aio.model.errors import ContractError
from tests.contract.json_schema import Schemas, closed, faults

ISSUE_2 = {
    "startSystem": "POST /api/system/start",
    "stopSystem": "POST /api/system/stop",
    "getSystemStatus": "GET /api/system/status",
    "reloadPlans": "POST /api/system/reload",
    "listPlans": "GET /api/plans",
    "getPlan": "GET /api/plans/{plan_name}",
    "listPlanTasks": "GET /api/plans/{plan_name}/tasks",
    "getTask": "GET /api/plans/{plan_name}/tasks/{task_name}",
    "runTask": "POST /api/tasks/run",
    "runTaskBatch": "POST /api/tasks/batch",
    "getTaskStatusBatch": "POST /api/tasks/status/batch",
    "cancelTask": "POST /api/tasks/{cid}/cancel",
    "updateTaskPriority": "PATCH /api/tasks/{cid}/priority",
    "listActiveRuns": "GET /api/runs/active",
    "listRuns": "GET /api/runs",
    "getRun": "GET /api/runs/{cid}",
    "listRunLogs": "GET /api/runs/{cid}/logs",
    "getQueueOverview": "GET /api/queue/overview",
    "listQueue": "GET /api/queue/list",
    "connectLogStream": "GET /ws/logs",
    "getHealth": "GET /healthz",
    "getReadiness": "GET /readyz",
}


@pytest.fixture(scope="module")
def contract() -> Contract:
    """The contract of the repository."""
    return load_contract()


def test_operations_keep_their_ids_methods_and_paths(contract: Contract) -> None:
    """Clients are generated from these: once released, none may change or go."""
    found = {each.operation_id: f"{each.method} {each.path}" for each in contract.operations}
    assert ISSUE_2.items() <= found.items()


def test_valid_by_the_standard(contract: Contract) -> None:
    """OpenAPI 3.1, by an independent validator."""
    from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415 - all processes collect this

    OpenAPIV31SpecValidator(contract.as_dict()).validate()


def test_the_downgrade_is_valid_by_the_standard(contract: Contract) -> None:
    """OpenAPI 3.0.3, by an independent validator, and with everything still in it."""
    document = json.loads(contract.as_openapi30())
    assert document["openapi"] == "3.0.3"
    from openapi_spec_validator import OpenAPIV30SpecValidator  # noqa: PLC0415 - all processes collect this

    OpenAPIV30SpecValidator(document).validate()
    original = contract.as_dict()
    assert document["paths"].keys() == original["paths"].keys()
    assert document["components"]["schemas"].keys() == original["components"]["schemas"].keys()


def test_the_downgrade_keeps_descriptions_beside_references(contract: Contract) -> None:
    """3.0.3 ignores what stands beside a reference, so the reference moves into an allOf."""
    result = json.loads(contract.as_openapi30())["components"]["schemas"]["Run"]["properties"]
    assert result["result"] == {
        "description": "What the `returns` of its task gave; only once it has succeeded.",
        "allOf": [{"$ref": "#/components/schemas/JsonValue"}],
    }


def test_served_texts_say_the_same(contract: Contract) -> None:
    """YAML and JSON are one document."""
    assert read_yaml(contract.as_yaml(), "openapi.yaml") == json.loads(contract.as_json())


def test_the_version_is_that_of_the_package(contract: Contract) -> None:
    """One number for both."""
    assert contract.version == aura_aio.__version__


def test_the_view_of_an_operation(contract: Contract) -> None:
    """Everything that a route needs."""
    operation = contract.operation("cancelTask")
    assert operation.handler_name == "cancel_task"
    assert operation.class_name == "CancelTask"
    assert (operation.method, operation.path) == ("POST", "/api/tasks/{cid}/cancel")
    assert operation.scope is Scope.RUN
    assert [each.name for each in operation.path_parameters] == ["cid"]
    assert (operation.body, operation.body_required) == ("CancelRequest", False)
    assert operation.success.status == 202
    assert operation.success.component == "CancelAccepted"
    assert operation.statuses == (202, 400, 401, 403, 404, 408, 409, 413, 415, 422, 500, 503)
    limited = next(each for each in operation.answers if each.status == 503)
    assert limited.media_type == "application/problem+json"
    assert limited.headers["Retry-After"][0] is True


def test_the_view_of_parameters(contract: Contract) -> None:
    """Query and header parameters, with their schemas."""
    assert [each.name for each in contract.operation("getRun").query_parameters] == ["wait_sec"]
    (key,) = contract.operation("runTask").header_parameters
    assert (key.name, key.required, key.schema["maxLength"]) == ("Idempotency-Key", False, 255)


def test_an_upgrade_has_no_body(contract: Contract) -> None:
    """The success of the WebSocket is 101."""
    success = contract.operation("connectLogStream").success
    assert (success.status, success.media_type, success.component) == (101, None, None)


def test_an_unknown_operation_is_an_error(contract: Contract) -> None:
    """A mistyped id is no None that is passed on."""
    with pytest.raises(ContractError, match="no operation 'runTsk'"):
        contract.operation("runTsk")


def test_the_view_can_not_be_changed(contract: Contract) -> None:
    """Nobody can change the contract under the others."""
    with pytest.raises(AttributeError):
        contract.operations = ()  # type: ignore[misc]
    with pytest.raises(TypeError):
        contract.components["Run"]["properties"]["cid"] = {}
    assert isinstance(contract.components["Run"]["required"], tuple)
    contract.as_dict()["paths"].clear()
    assert contract.as_dict()["paths"]


def test_every_operation_finds_its_schemas(contract: Contract) -> None:
    """By the rule of the names alone; an operation without a query gets one that takes nothing."""
    for operation in contract.operations:
        assert (path_schema_of(operation) is None) == (not operation.path_parameters)
        assert (headers_schema_of(operation) is None) == (not operation.header_parameters)
        assert (body_schema_of(operation) is None) == (operation.body is None)
        assert set(query_schema_of(operation).fields) == {
            each.name for each in operation.query_parameters
        }
        for answer in operation.answers:
            if answer.component is not None:
                assert component_schema(answer.component) is component_schema(answer.component)


def test_a_missing_schema_is_named(contract: Contract) -> None:
    """Whoever adds an operation is told which class is missing."""
    unmirrored = msgspec.structs.replace(
        contract.operation("getRun"), operation_id="getThing", body="ThingRequest"
    )
    with pytest.raises(ContractError, match="GetThingPathSchema"):
        path_schema_of(unmirrored)
    with pytest.raises(ContractError, match="GetThingQuerySchema"):
        query_schema_of(unmirrored)
    with pytest.raises(ContractError, match="ThingRequestSchema"):
        body_schema_of(unmirrored)


def test_a_missing_document_is_an_error(tmp_path: Path) -> None:
    """A wrong path says which."""
    with pytest.raises(ContractError, match=r"no contract at .*nowhere\.yaml"):
        load_contract(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("packed", [True, False], ids=["beside the module", "nowhere"])
def test_an_installed_package_finds_its_own_document(packed: bool, tmp_path: Path) -> None:
    """In a wheel the document lies beside the module; without it, the message says what to do."""
    package = Path(aura_aio.__file__).parent
    shutil.copytree(package / "contract", tmp_path / "aura_aio" / "contract")
    shutil.copytree(package / "model", tmp_path / "aura_aio" / "model")
    (tmp_path / "aura_aio" / "__init__.py").touch()
    if packed:
        document = tmp_path / "aura_aio" / "contract" / "openapi.yaml"
        document.write_bytes(load_contract().as_yaml())
    code = "from aura_aio.contract.document import load_contract; print(load_contract().version)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if packed:
        assert (done.returncode, done.stdout.strip()) == (0, aura_aio.__version__)
    else:
        assert "ContractError" in done.stderr
        assert "the installation is incomplete" in done.stderr


def test_every_link_leads_to_an_operation_and_fills_its_path(contract: Contract) -> None:
    """What follows from an answer can be followed by a program."""
    document, followed = contract.as_dict(), 0
    for _, _, _, operation in operations(document):
        for response in operation["responses"].values():
            for name, link in mapping(resolve(document, response).get("links")).items():
                node = resolve(document, link)
                target = contract.operation(node["operationId"])
                assert name == target.operation_id
                assert set(node["parameters"]) == {each.name for each in target.path_parameters}
                followed += 1
    assert followed > 30


def _examples(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example as (place, schema, value)."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            place = f"{method} {path}"
            yield from _of_content(f"{place} body", mapping(operation.get("requestBody")))
            for told in _callbacks(document, operation).values():
                yield from _of_content(f"{place} callback", told["post"]["requestBody"])
            for status, response in operation["responses"].items():
                yield from _of_content(f"{place} {status}", resolve(document, response))
            for parameter in (*item.get("parameters", ()), *operation.get("parameters", ())):
                node = resolve(document, parameter)
                if "example" in node:
                    yield f"{place} {node['name']}", node["schema"], node["example"]
    for name, header in document["components"]["headers"].items():
        yield name, header["schema"], header["example"]


def _callbacks(document: dict[str, Any], operation: Json) -> dict[str, Json]:
    """What an operation declares to send later: the path items by their expressions."""
    return {
        expression: resolve(document, item)
        for callback in mapping(operation.get("callbacks")).values()
        for expression, item in callback.items()
    }


def _of_content(place: str, node: Any) -> Iterator[tuple[str, dict[str, Any], Any]]:
    for content in mapping(node.get("content")).values():
        if "example" in content:
            yield place, content["schema"], content["example"]
        for name, example in mapping(content.get("examples")).items():
            yield f"{place} {name}", content["schema"], example["value"]


def test_every_example_keeps_its_schema(contract: Contract) -> None:
    """Formats included, and without properties that are not declared."""
    document = closed(contract.as_dict())
    schemas = Schemas(document)
    checked = 0
    for place, schema, value in _examples(document):
        assert list(faults(schemas.validator(schema), value)) == [], place
        checked += 1
    assert checked > 100


def test_every_request_example_passes_the_server_side_check(contract: Contract) -> None:
    """What the document shows to send is what the server takes (a batch may hold a bad task)."""
    document = contract.as_dict()
    for operation in contract.operations:
        schema = body_schema_of(operation)
        if schema is not None:
            body = document["paths"][operation.path][operation.method.lower()]["requestBody"]
            for place, _, value in _of_content(operation.operation_id, body):
                assert schema.validate(value) == {}, place


def test_every_problem_example_is_of_the_status_that_it_stands_under(contract: Contract) -> None:
    """The example of a 404 is a problem with status 404."""
    document = contract.as_dict()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            for status, response in operation["responses"].items():
                if status.startswith(("4", "5")):
                    for place, _, value in _of_content(path, resolve(document, response)):
                        assert value["status"] == int(status), (place, method)


def test_links_lead_from_whatever_starts_a_run_to_all_that_can_be_done_with_it(
    contract: Contract,
) -> None:
    """Schemathesis walks along them, and so may a reader."""
    document = contract.as_dict()
    links: dict[str, set[str]] = {}
    starting = set()
    for *_, operation in operations(document):
        for answer in mapping(operation["responses"]).values():
            found = resolve(document, answer)
            named = {
                resolve(document, link)["operationId"] for link in found.get("links", {}).values()
            }
            links.setdefault(operation["operationId"], set()).update(named)
            if "Idempotent-Replayed" in found.get("headers", {}) and "Location" in found["headers"]:
                starting.add(operation["operationId"])
    assert starting == {"runTask", "insertIntoQueue", "retryTask", "runScheduleNow"}
    for operation_id in starting:
        assert links[operation_id] == links["runTask"], operation_id
    assert links["runTask"] >= {
        each.operation_id for each in contract.operations if "{cid}" in each.path
    }
    assert {"cancelTask", "retryTask"} <= links["getRun"]
    assert {"getRun", "retryTask"} <= links["cancelTask"]
    known = {each.operation_id for each in contract.operations}
    assert set().union(*links.values()) <= known


@pytest.mark.parametrize("version", ["3.1", "3.0"])
def test_whatever_starts_a_run_and_takes_a_callback_url_declares_the_callback(
    contract: Contract, version: str
) -> None:
    """By an expression that finds the address in the request, and as the same message in all."""
    document = contract.as_dict() if version == "3.1" else json.loads(contract.as_openapi30())
    declaring = set()
    for *_, operation in operations(document):
        body = mapping(mapping(operation.get("requestBody")).get("content"))
        asked = mapping(body.get("application/json")).get("schema")
        places = (
            set(_places(document, asked, "callback_url"))
            if "202" in operation["responses"]
            else set()
        )
        declared = _callbacks(document, operation)
        assert declared.keys() == {f"{{$request.body#{place}}}" for place in places}, operation
        for item in declared.values():
            (content,) = item["post"]["requestBody"]["content"].values()
            assert content["schema"] == {"$ref": "#/components/schemas/RunFinishedEvent"}
        declaring.update([operation["operationId"]] if declared else [])
    assert {"runTask", "runTaskBatch"} <= declaring


def _places(document: dict[str, Any], schema: Any, name: str, at: str = "") -> Iterator[str]:
    """JSON Pointers to each property of this name in what `schema` allows: of lists, the first."""
    node = resolve(document, schema)
    for each, below in mapping(node.get("properties")).items():
        if each == name:
            yield f"{at}/{each}"
        yield from _places(document, below, name, f"{at}/{each}")
    if "items" in node:
        yield from _places(document, node["items"], name, f"{at}/0")
