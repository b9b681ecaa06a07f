"""What generated clients look like to who writes code with them: names, and types that are known.

Imports pytest, the contract and `conftest`.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from aura_aio.contract.document import Contract, load_contract
from aura_aio.contract.references import Json, component_name, mapping
from tests.sdks.conftest import OPENAPI_30, OPENAPI_31, MakeSdk

pytestmark = pytest.mark.timeout(600)

CONTRACT = load_contract()
SOURCES = {
    "python": "aura_client/**/*.py",
    "typescript": "src/**/*.ts",
    "java": "src/main/**/*.java",
}
INVENTED = re.compile(
    r"\b\w*(?:Object|Model|Response|Request|Body|Item|Enum|Type)_?\d+\w*\b|\b\w*_\d+Request\b"
    r"|\b\w*(?:Inline|AnyOf|OneOf|AllOf)\w*\b|\b\w+(?:Inner|_inner)\b|\bNumber\d\b"
)
"""Names that generators make up for what has none."""
OF_THE_GENERATOR = {"AbstractOpenApiSchema", "response_200", "response_202"}

VERSIONS = [OPENAPI_31, pytest.param(OPENAPI_30, marks=pytest.mark.slow)]
SLOW_JAVA = pytest.param("java", marks=pytest.mark.slow)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("language", ["python", "typescript", SLOW_JAVA])
def test_no_name_is_made_up(make_sdk: MakeSdk, language: str, version: str) -> None:
    folder = make_sdk(language, version).folder
    files = [file for file in folder.glob(SOURCES[language]) if "example" not in file.name.lower()]
    assert len(files) > len(CONTRACT.components)
    for file in files:
        found = {word for word in INVENTED.findall(_code(file)) if not _is_local(word)}
        assert not found, f"{file.relative_to(folder)} has {sorted(found)}"


def test_made_up_names_are_seen() -> None:
    for name in ("Object1", "InlineResponse200", "RunErrorOneOf", "RunInner"):
        assert INVENTED.findall(f"class {name} {{"), name
    assert not INVENTED.findall("class RunAccepted { RunStatus status; QueueInsertRequest body; }")


@pytest.mark.parametrize("version", [OPENAPI_31, OPENAPI_30])
def test_python_reads_well(make_sdk: MakeSdk, version: str) -> None:
    """A module for each operation, a class for each component, members as words of the contract."""
    package = make_sdk("python", version).folder / "aura_client"
    operations = {(each.tag, each.handler_name) for each in CONTRACT.operations}
    made = {(file.parent.name, file.stem) for file in (package / "api").glob("*/[a-z]*.py")}
    assert made == operations
    assert ("tasks", "run_task") in made
    classes = dict(_python_classes(package / "models"))
    for name, schema in CONTRACT.components.items():
        if "enum" in schema:
            members = {_target(node) for node in classes[name].body if isinstance(node, ast.Assign)}
            assert members == {word.upper() for word in schema["enum"]}, name
        elif "properties" in schema:
            for field, annotation in _fields(classes[name]):
                typed = "Any" not in annotation
                free = _is_free(mapping(schema["properties"].get(field)))
                assert typed or free or field == "additional_properties", f"{name}.{field}"
    assert "SUCCEEDED" in ast.unparse(classes["RunStatus"])


@pytest.mark.parametrize("version", VERSIONS)
def test_typescript_reads_well(make_sdk: MakeSdk, version: str) -> None:
    """A method for each operation, an interface for each component, `any` for free JSON only."""
    source = make_sdk("typescript", version).folder / "src"
    for operation in CONTRACT.operations:
        api = _code(source / "apis" / f"{operation.tag.title()}Api.ts")
        answer = operation.success.component if operation.success.media_type else None
        promised = f"Promise<{answer}>" if answer else r"Promise<\w+>"
        pattern = rf"async {operation.operation_id}\([^\n]*: {promised} {{"
        assert re.search(pattern, api), f"{operation.operation_id}: {promised}"
    for name, members in _interfaces(source / "models"):
        properties = _properties(CONTRACT, name)
        for member, annotation in members.items():
            typed = not re.search(r"\bany\b|\bobject\b", annotation)
            free = _is_free(properties[_snake(member)])
            assert typed or free, f"{name}.{member}: {annotation}"
    status = _code(source / "models" / "RunStatus.ts")
    assert "Succeeded: 'succeeded'" in status
    assert "TimedOut: 'timed_out'" in status


@pytest.mark.slow
@pytest.mark.parametrize("version", [OPENAPI_31, OPENAPI_30])
def test_java_reads_well(make_sdk: MakeSdk, version: str) -> None:
    """A method for each operation, a class for each component, `Object` for free JSON only."""
    source = make_sdk("java", version).folder / "src" / "main" / "java" / "aura" / "client"
    for operation in CONTRACT.operations:
        api = _code(source / "api" / f"{operation.tag.title()}Api.java")
        assert re.search(rf"public \w+ {operation.operation_id}\(", api), operation.operation_id
    for name, schema in CONTRACT.components.items():
        if not {"enum", "properties"} & schema.keys():
            continue
        text = _code(source / "model" / f"{name}.java")
        for word in schema.get("enum", ()):
            assert f'{word.upper()}("{word}")' in text
        if "enum" in schema:
            continue
        for annotation, member in re.findall(r"^  private ([\w<>., ]+?) (\w+)(?: =|;)", text, re.M):
            typed = "Object" not in annotation
            properties = _properties(CONTRACT, name)
            free = _is_free(properties[_snake(member)])
            assert typed or free, f"{name}.{member}: {annotation}"


def _code(file: Path) -> str:
    """What a file says beside its comments."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", file.read_text("utf-8"), flags=re.DOTALL)
    return re.sub(r'"""(?:.|\n)*?"""', '""', text) if file.suffix == ".py" else text


def _is_local(word: str) -> bool:
    return word in OF_THE_GENERATOR or re.fullmatch(r"response_\d{3}", word) is not None


def _python_classes(folder: Path) -> Iterator[tuple[str, ast.ClassDef]]:
    for file in folder.glob("*.py"):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                yield node.name, node


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for each in node.body:
        if isinstance(each, ast.AnnAssign):
            yield ast.unparse(each.target), ast.unparse(each.annotation)


def _target(node: ast.Assign) -> str:
    return ast.unparse(node.targets[0])


def _interfaces(folder: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    for file in folder.glob("*.ts"):
        for name, body in re.findall(r"export interface (\w+) {\n(.*?)\n}", _code(file), re.DOTALL):
            yield name, dict(re.findall(r"^\s+(\w+)\??: (.+);$", body, re.MULTILINE))


def _properties(contract: Contract, name: str) -> Mapping[str, Json]:
    properties: Mapping[str, Json] = contract.components[name].get("properties", {})
    return properties


def _snake(name: str) -> str:
    """The name in the contract; a word that Java keeps for itself is written `_default` there."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name.removeprefix("_")).lower()


def _is_free(schema: Json) -> bool:
    """Whether it is JSON of any form, alone, in a list, or as the values of an object."""
    name = component_name(schema)
    if name is not None:
        schema = CONTRACT.components[name]
    if schema.get("type") == "array":
        return _is_free(schema["items"])
    if schema.get("type") == "object":
        below = schema.get("additionalProperties", True)
        return "properties" not in schema and (below is True or _is_free(below))
    return "type" not in schema and "enum" not in schema
