"""How the pages look, to axe-core and on a phone: every page, light and dark.

Imports playwright, pytest, the scripts' packages from npm, and the tests' fixtures.
"""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from environment import REPOSITORY, Environment
from node_packages import installed
from playwright.async_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.shop import TASKS, heading
from tests.serving import EXAMPLES, Served, serving, write_plan

pytestmark = pytest.mark.asyncio(loop_scope="module")

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 740}
PAGES = {
    "Overview": "/",
    "Runs": "/#/runs",
    "shop/broken": "/#/runs/{cid}",
    "Plans": "/#/plans",
    "shop": "/#/plans/shop",
    "order": "/#/plans/shop/order",
    "Queue": "/#/queue",
    "Schedules": "/#/schedules",
    "Logs": "/#/logs",
}
RUN_AXE = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .map((each) => [each.id, each.nodes.map((node) => node.html + " " + node.failureSummary)])"""


@pytest.fixture(scope="module")
def axe() -> str:
    """The program axe-core, which is put beside the environment of these tests when needed."""
    environment = Environment(Path(sys.prefix), ())
    folder = environment.folder / "axe"
    if not installed(environment, REPOSITORY / "scripts" / "axe", folder):
        pytest.skip("axe-core could not be installed from npm, which says above why.")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Served, str]]:
    """A server that has something to show on each page, and the cid of a run that failed."""
    root = tmp_path_factory.mktemp("looks")
    write_plan(root / "plans", "shop", TASKS | {"unread": "steps: {a: {action: nothing}}"})
    plans = [str(EXAMPLES), str(root / "plans")]
    async with serving(plans=plans, data_dir=str(root / "data")) as server:
        word = "long" * 60
        failed = await server.done("shop", "broken", inputs={"why": word}, labels={"team": word})
        await server.done("shop", "noise", inputs={"word": word})
        await server.run("shop", "hold")
        await server.post("/api/queue/pause")
        for delay in (0, 3600):
            await server.run("shop", "noise", inputs={"word": "x"}, delay_sec=delay)
        yield server, failed["cid"]


async def _go(page: Page, path: str, name: str) -> None:
    await page.evaluate("(path) => { location.hash = path.slice(1); }", path)
    await expect(heading(page)).to_have_text(name)
    await page.wait_for_load_state("networkidle")


@pytest.mark.parametrize(
    ("scheme", "viewport"),
    [(scheme, viewport) for scheme in ("light", "dark") for viewport in (DESKTOP, PHONE)],
)
async def test_every_page_is_for_everyone(
    shop: tuple[Served, str], open_page: OpenPage, axe: str, scheme: str, viewport: dict[str, int]
) -> None:
    server, cid = shop
    page = (await open_page(server.url, viewport=viewport, color_scheme=scheme)).page
    await page.evaluate(axe)
    found: dict[str, Any] = {}
    for name, path in PAGES.items():
        await _go(page, path.format(cid=cid), name)
        found[name] = await page.evaluate(RUN_AXE)
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], name
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    found["dialog"] = await page.evaluate(RUN_AXE)
    assert {name: each for name, each in found.items() if each} == {}
