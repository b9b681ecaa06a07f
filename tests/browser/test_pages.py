"""The pages as files: their headers, their caching, and that nothing in them comes from elsewhere.

Imports pytest, aiohttp, `api.pages` and the contract.
"""

import asyncio
import gzip
import json
import re
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

import aura_aio.api
from aura_aio.api.pages import add_pages
from aura_aio.contract.document import load_contract

Pages = TestClient[web.Request, web.Application]

REPOSITORY = Path(__file__).resolve().parents[2]
DASHBOARD = Path(aura_aio.api.__file__).parent / "dashboard"
FILES = sorted(file for file in DASHBOARD.rglob("*") if file.is_file())
DOCUMENTS = {
    "/openapi.yaml": "application/yaml",
    "/openapi.json": "application/json",
    "/openapi-3.0.json": "application/json",
    "/asyncapi.yaml": "application/yaml",
    "/schemas/task.json": "application/json",
}
MEDIA_TYPES = {
    "": "text/html; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
MOST_BYTES = 150_000  # as they travel, compressed
MOST_LINES = 300
OPERATION = re.compile(r'^  (\w+): \["(\w+)", "([^"]+)", "(\w+)"\],$', re.M)


@pytest.fixture
async def pages(aiohttp_client: Callable[[web.Application], Awaitable[Pages]]) -> Pages:
    """The pages, served by an application that has nothing else."""
    app = web.Application()
    add_pages(app, await asyncio.to_thread(load_contract))
    return await aiohttp_client(app)


async def _links(pages: Pages, page: str) -> list[str]:
    async with pages.get(page) as response:
        text = await response.text()
    return re.findall(r'<(?!link rel="modulepreload")[^>]+(?:src|href)="(/dashboard/[^"]+)"', text)


async def _all_files(pages: Pages, *begin: str) -> list[str]:
    """Every file of these pages, found as a browser finds them that does not preload any."""
    waiting = [link for page in begin for link in await _links(pages, page)]
    found: list[str] = []
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.append(path)
        if path.endswith(".js") and "swagger" not in path:
            async with pages.get(path) as response:
                imports = re.findall(r'^import .*"(\.{1,2}/.+)";$', await response.text(), re.M)
            waiting += [_beside(path, each) for each in imports]
    return found


def _beside(path: str, relative: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(path).parent / relative).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return str(PurePosixPath(*parts))


async def test_every_file_is_found_by_the_pages_and_is_kept_for_ever(pages: Pages) -> None:
    found = await _all_files(pages, "/", "/docs")
    names = {path.split("/", 3)[3] for path in found}
    ours = {file.relative_to(DASHBOARD).as_posix() for file in FILES if file.suffix != ".html"}
    assert names == ours | {"swagger-ui-bundle.js"}
    for path in found:
        async with pages.get(path) as response:
            assert response.status == 200, path
            assert response.headers["Content-Type"] == MEDIA_TYPES[PurePosixPath(path).suffix]
            assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_every_module_is_asked_for_at_once(pages: Pages) -> None:
    async with pages.get("/") as response:
        preloaded = re.findall(r'"modulepreload".* href="([^"]+)"', await response.text())
    modules = {path for path in await _all_files(pages, "/") if path.endswith(".js")}
    begun = {path for path in await _links(pages, "/") if path.endswith(".js")}
    assert sorted(preloaded) == sorted(modules - begun)


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_a_page_allows_no_inline_code_and_no_other_server(pages: Pages, path: str) -> None:
    async with pages.get(path) as response:
        text = await response.text()
        policy = response.headers["Content-Security-Policy"]
        assert response.headers["Content-Type"] == MEDIA_TYPES[""]
    assert "unsafe" not in policy
    directives = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"]
    assert directives["script-src"] == "'self'"
    assert "http" not in policy
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", text)


@pytest.mark.parametrize("path", ["/", "/docs", *DOCUMENTS])
async def test_a_page_is_asked_for_each_time_and_sent_when_it_is_new(
    pages: Pages, path: str
) -> None:
    async with pages.get(path) as response:
        first = response.headers.copy()
        body = await response.read()
    assert first["Cache-Control"] == "no-cache"
    assert first["X-Content-Type-Options"] == "nosniff"
    for known in (first["ETag"], f'"other", {first["ETag"].removeprefix("W/")}', "*"):
        async with pages.get(path, headers={"If-None-Match": known}) as response:
            assert (response.status, await response.read()) == (304, b"")
            assert response.headers["ETag"] == first["ETag"]
    async with pages.get(path, headers={"If-None-Match": '"other"'}) as response:
        assert (response.status, await response.read()) == (200, body)


@pytest.mark.parametrize("path", ["/", "/docs", *DOCUMENTS])
async def test_head_answers_the_headers_of_get(pages: Pages, path: str) -> None:
    async with pages.get(path) as response:
        expected = {**response.headers, "Date": ""}
    async with pages.head(path) as response:
        assert (response.status, await response.read()) == (200, b"")
        assert {**response.headers, "Date": ""} == expected


async def test_the_documents_are_the_contract(pages: Pages) -> None:
    bodies = {}
    for path, media_type in DOCUMENTS.items():
        async with pages.get(path) as response:
            assert response.headers["Content-Type"] == media_type
            bodies[path] = await response.read()
    contract = await asyncio.to_thread(load_contract)
    assert bodies["/openapi.yaml"] == contract.as_yaml()
    assert json.loads(bodies["/openapi.json"])["openapi"].startswith("3.1.")
    assert json.loads(bodies["/openapi-3.0.json"])["openapi"].startswith("3.0.")
    for path in ("/openapi.json", "/openapi-3.0.json"):
        assert set(json.loads(bodies[path])["paths"]) == {each.path for each in contract.operations}
    asyncapi = resources.files("aura_aio.contract").joinpath("asyncapi.yaml").read_bytes()
    assert bodies["/asyncapi.yaml"] == asyncapi
    written = (REPOSITORY / "docs" / "reference" / "task.schema.json").read_text("utf-8")
    assert json.loads(bodies["/schemas/task.json"]) == json.loads(written)


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard/main.js",
        "/dashboard/current/main.js",
        "/dashboard/current/%2e%2e/%2e%2e/pages.py",
        "/dashboard/index.html",
        "/dashboard/",
    ],
)
async def test_what_is_no_page_is_not_found(pages: Pages, path: str) -> None:
    async with pages.get(path) as response:
        assert response.status == 404


def test_the_dashboard_is_small() -> None:
    assert sum(len(gzip.compress(file.read_bytes())) for file in FILES) < MOST_BYTES
    for file in FILES:
        if file.suffix == ".js":
            assert len(file.read_text("utf-8").splitlines()) <= MOST_LINES, file


def test_it_knows_operations_of_the_contract_only_and_their_scopes() -> None:
    known = {each.operation_id: each for each in load_contract().operations}
    listed = OPERATION.findall((DASHBOARD / "api.js").read_text("utf-8"))
    assert len(listed) > 20
    for name, method, path, scope in listed:
        operation = known[name]
        told = (operation.method, operation.path, str(operation.scope))
        assert (method, path, scope) == told, name


def test_each_operation_that_it_knows_is_used() -> None:
    code = "\n".join(file.read_text("utf-8") for file in FILES if file.suffix == ".js")
    for name, *_ in OPERATION.findall((DASHBOARD / "api.js").read_text("utf-8")):
        assert f'"{name}"' in code, name


def test_no_file_of_the_dashboard_makes_html_of_text_or_names_another_server() -> None:
    for file in FILES:
        text = file.read_text("utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), file


def _messages(language: str) -> dict[str, str]:
    text = (DASHBOARD / "messages" / f"{language}.js").read_text("utf-8")
    body = text[text.index("{") : text.rindex("}")].rstrip().rstrip(",") + "}"

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(pairs) == len(dict(pairs)), "a message stands there twice"
        return dict(pairs)

    messages: dict[str, str] = json.loads(body, object_pairs_hook=once)
    return messages


@pytest.mark.parametrize("language", ["zh-CN"])
def test_each_language_has_every_message_with_the_same_places(language: str) -> None:
    english, other = _messages("en"), _messages(language)
    assert list(english) == list(other)
    for name, text in english.items():
        places = re.findall(r"\{\w+\}", text)
        assert sorted(places) == sorted(re.findall(r"\{\w+\}", other[name])), name
        assert other[name].strip()


def test_every_message_is_used_and_every_used_message_exists() -> None:
    english = _messages("en")
    code = "\n".join(file.read_text("utf-8") for file in FILES if file.suffix == ".js")
    used = set(re.findall(r'\bt\("([^"]+)"', code))
    assert used <= set(english)
    # `word("status", …)`, chip("step") and t(`figure.${name}`) name messages by their beginning.
    families = set(re.findall(r'\b(?:word|chip)\("(\w+)"', code)) | set(
        re.findall(r"\bt\(`([\w.]+)\.\$", code)
    )
    for name in set(english) - used:
        assert name.rpartition(".")[0] in families, f"{name} is not used"
