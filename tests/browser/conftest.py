"""Chromium, and visits to the pages of a server that fail on any error in the page.

Imports playwright, the scripts' `chromium`, `shop`, and servers of the tests.
"""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from chromium import NO_CHROMIUM
from chromium import chromium as chromium_program
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    async_playwright,
    expect,
)

from tests.browser.shop import TASKS
from tests.probe_plan import write_probe
from tests.serving import EXAMPLES, Served, serving, write_plan
from tests.waiting import until_sync

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
expect.set_options(timeout=20_000)  # a machine that does much else is slow, not wrong


class Visit:
    """A page that is open in a browser of its own: what it asked for, and what went wrong in it.

    `forgiven` are parts of messages that the test itself provokes, such as a status of 400: the
    browser writes each answer that is an error on its console.
    """

    def __init__(self, page: Page, home: str) -> None:
        self.page = page
        self.home = home
        self.forgiven: list[str] = []
        self._errors: list[str] = []
        self.addresses: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._errors.append(str(error)))
        page.on("request", self._asked)
        page.on("websocket", lambda socket: self.addresses.append(socket.url))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._errors.append(message.text)

    def _asked(self, request: Request) -> None:
        self.addresses.append(request.url)

    @property
    def errors(self) -> list[str]:
        """What went wrong in the page, and was not to be expected."""
        return [each for each in self._errors if not any(part in each for part in self.forgiven)]

    @property
    def foreign(self) -> list[str]:
        """What was asked of anybody but the server."""
        home = urlsplit(self.home).netloc
        return [each for each in self.addresses if urlsplit(each).netloc not in {home, ""}]


class OpenPage(Protocol):
    """Opens a page of the server at `url`."""

    async def __call__(self, url: str, path: str = "/", **context: Any) -> Visit:
        """The page at `path`, in a browser context with these options of Playwright."""
        ...


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a Chromium listens that the tests of this process share: to start one takes seconds.

    The tests are skipped where there is none.
    """
    executable = chromium_program()
    if executable is None:
        pytest.skip(NO_CHROMIUM)
    profile = tmp_path_factory.mktemp("chromium")
    command = [executable, *_FLAGS, f"--user-data-dir={profile}", "--remote-debugging-port=0"]
    port = profile / "DevToolsActivePort"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until_sync(lambda: port.exists() and len(port.read_text().split()) == 2, 60)
            yield f"http://127.0.0.1:{port.read_text().split()[0]}"
        finally:
            process.terminate()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A connection to the Chromium, for the tests of a module, which run on its loop; each test
    opens its pages in contexts of their own.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(chromium)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(browser: Browser) -> AsyncIterator[OpenPage]:
    """Opens pages; a page with an error, or that asked anybody but the server, fails the test."""
    visits: list[Visit] = []
    async with AsyncExitStack() as stack:

        async def open_it(url: str, path: str = "/", **context: Any) -> Visit:
            options = {"locale": "en-US", "viewport": {"width": 1440, "height": 900}} | context
            opened = await browser.new_context(**options)
            stack.push_async_callback(opened.close)
            visit = Visit(await opened.new_page(), url)
            visits.append(visit)
            await visit.page.goto(url + path)
            return visit

        yield open_it
    for visit in visits:
        assert visit.errors == []
        assert visit.foreign == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A server with the example plans, the plan `shop`, and the plan `probe`."""
    root = tmp_path_factory.mktemp("dashboard")
    write_plan(root / "plans", "shop", TASKS)
    plans = [str(EXAMPLES), write_probe(root / "plans")]
    async with serving(plans=plans, data_dir=str(root / "data")) as server:
        yield server
