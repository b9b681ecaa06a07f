"""The pages beside the contract: the dashboard, the API reference and the contract's documents.

May import aiohttp, msgspec, `negotiation`, `contract`, `model` and scheduler's plans.
"""

import asyncio
import gzip
import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final, NamedTuple

import msgspec
from aiohttp import hdrs, web

from aura_aio.api.negotiation import VARIES, takes_gzip
from aura_aio.contract.document import Contract
from aura_aio.model import json
from aura_aio.scheduler.plans import task_file_schema

ASSETS_PREFIX: Final = "/dashboard/"
_NAMED_SO_IN_THE_PAGES: Final = b"/dashboard/current/"
_SWAGGER_UI: Final = "vendor/swagger-ui-4.15.5"
_SWAGGER_UI_PROGRAM: Final = "swagger-ui-bundle.js"  # its looks are ours

# Written out, because what the standard library guesses on Windows comes from the registry.
_MEDIA_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "yaml": "application/yaml",
}

_NOTHING: Final = "default-src 'none'; frame-ancestors 'none'"
_OURS_ALONE: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    # Text that came from the server can not become HTML, not even by a mistake of ours.
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
# Swagger UI builds HTML from Markdown, and shows a picture from a data: URL while it loads.
_SWAGGER: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

_SMALL_BYTES: Final = 64 * 1024

_ASK_EACH_TIME: Final = "no-cache"
_FOR_EVER: Final = "public, max-age=31536000, immutable"

_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _Source(NamedTuple):
    """What a page is made of, once somebody asks for it: `make` gives its body."""

    name: str
    make: Callable[[], bytes]
    policy: str = _NOTHING
    cache: str = _ASK_EACH_TIME


class _Page(msgspec.Struct, frozen=True):
    """One answer, ready to be sent: its body, its headers, and its entity tag without quotes.

    `packed` is the body compressed with gzip, None where that is not done beforehand.
    """

    body: bytes
    packed: bytes | None
    tag: str
    headers: Mapping[str, str]


class _Pages:
    """All pages by the path of their address; empty until the application starts."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._sources: Mapping[str, _Source] = {}
        self._pages: dict[str, _Page] = {}

    async def read(self, _: web.Application) -> None:
        self._sources = await asyncio.to_thread(_read, self._contract)

    async def answer(self, request: web.Request) -> web.Response:
        page = self._pages.get(request.path) or await self._made(request.path)
        known = request.if_none_match or ()
        if any(each.value in {page.tag, "*"} for each in known):
            return web.Response(status=304, headers=page.headers)
        if page.packed is None or not takes_gzip(request):
            return web.Response(body=page.body, headers=page.headers)
        response = web.Response(body=page.packed, headers=page.headers)
        response.headers[hdrs.CONTENT_ENCODING] = "gzip"
        return response

    async def _made(self, path: str) -> _Page:
        """The page, which nobody has asked for yet; two who do so at once have it made twice."""
        source = self._sources.get(path)
        if source is None:
            raise web.HTTPNotFound(text=f"There is no page {path}.")
        self._pages[path] = await asyncio.to_thread(_page, source)
        return self._pages[path]


def add_pages(app: web.Application, contract: Contract) -> None:
    """Let `app` answer GET and HEAD for the pages.

    These are `/` (the dashboard), `/docs` (the API reference), `/dashboard/…` (the files of both),
    and the documents `/openapi.yaml`, `/openapi.json`, `/openapi-3.0.json`, `/asyncapi.yaml` and
    `/schemas/task.json` (of task files, for editors).
    All are read once, in a thread, when `app` starts, and made and compressed when somebody first
    asks for them. None needs anything from elsewhere: each carries a Content-Security-Policy that
    allows this server alone.

    The files of the two pages stand below a folder that is named for their content, and may be kept
    for ever; everything else is asked for each time, and answered 304 while it is the same.
    """
    pages = _Pages(contract)
    app.on_startup.append(pages.read)
    for path in ("/", "/docs", *_DOCUMENTS, ASSETS_PREFIX + "{file:.+}"):
        app.router.add_get(path, pages.answer)


_DOCUMENTS: Final = (
    "/openapi.yaml",
    "/openapi.json",
    "/openapi-3.0.json",
    "/asyncapi.yaml",
    "/schemas/task.json",
)


def _read(contract: Contract) -> dict[str, _Source]:
    files = dict(_dashboard_files(resources.files("aura_aio.api").joinpath("dashboard")))
    swagger = resources.files("swagger_ui_bundle").joinpath(_SWAGGER_UI)
    files[_SWAGGER_UI_PROGRAM] = swagger.joinpath(_SWAGGER_UI_PROGRAM).read_bytes()
    folder = ASSETS_PREFIX + _digest(*(part for each in sorted(files.items()) for part in each))
    assets = {
        f"{folder}/{name}": _Source(name, partial(bytes, body), cache=_FOR_EVER)
        for name, body in files.items()
        if not name.endswith(".html")
    }
    index, docs = (
        files[name].replace(_NAMED_SO_IN_THE_PAGES, f"{folder}/".encode())
        for name in ("index.html", "docs.html")
    )
    asyncapi = resources.files("aura_aio.contract").joinpath("asyncapi.yaml").read_bytes()
    documents: tuple[Callable[[], bytes], ...] = (
        contract.as_yaml,
        contract.as_json,
        contract.as_openapi30,
        partial(bytes, asyncapi),
        lambda: json.dumps(task_file_schema()),
    )
    return assets | {
        "/": _Source("index.html", partial(bytes, index), policy=_OURS_ALONE),
        "/docs": _Source("docs.html", partial(bytes, docs), policy=_SWAGGER),
        **{path: _Source(path, make) for path, make in zip(_DOCUMENTS, documents, strict=True)},
    }


def _dashboard_files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        name = prefix + entry.name
        if entry.is_dir():
            yield from _dashboard_files(entry, name + "/")
        else:
            yield name, entry.read_bytes()


def _page(source: _Source) -> _Page:
    body = source.make()
    tag = _digest(body)
    is_kept = source.cache == _FOR_EVER
    headers = {
        hdrs.CONTENT_TYPE: _MEDIA_TYPES[source.name.rpartition(".")[2]],
        hdrs.CACHE_CONTROL: source.cache,
        hdrs.ETAG: f'W/"{tag}"',  # weak, because it may be sent compressed or not
        "Content-Security-Policy": source.policy,
        **_ALWAYS,
    }
    packed = _packed(body) if is_kept or source.name.endswith(".html") else None
    return _Page(body, packed, tag, headers if packed is None else headers | VARIES)


def _packed(body: bytes) -> bytes | None:
    """The body compressed, if it is one of our many small files; a large one would take long."""
    return gzip.compress(body, mtime=0) if len(body) < _SMALL_BYTES else None


def _digest(*parts: bytes | str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        body = part.encode() if isinstance(part, str) else part
        digest.update(b"%d " % len(body))
        digest.update(body)
    return digest.hexdigest()[:32]
