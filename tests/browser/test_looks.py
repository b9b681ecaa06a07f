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
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.shop import TASKS, heading, section
from tests.serving import EXAMPLES, Served, serving, write_plan
from tests.tokens import a_token, put_tokens

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
LONG_NAME = "compare_the_ledgers_of_all_subsidiaries_and_report_what_differs"
ARE_WHOLE = """(rows) => rows.length > 1 && rows.every((row, at) => {
  const link = row.querySelector(".name");
  const [outer, name] = [row, link].map((each) => each.getBoundingClientRect());
  const next = rows[at + 1]?.getBoundingClientRect().top ?? outer.bottom;
  return outer.bottom === next && name.top >= outer.top && name.bottom <= outer.bottom
    && name.right <= outer.right && link.scrollWidth <= name.width + 1;
})"""
HEIGHTS = "(rows) => rows.map((row) => row.getBoundingClientRect().height)"
BOTH_THEMES = [("light", DESKTOP), ("dark", PHONE)]
RUN_AXE = """async (part) => (await axe.run(part, {resultTypes: ["violations"]})).violations
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
    odd = {
        "unread": "steps: {a: {action: nothing}}",
        LONG_NAME: "steps: {a: {action: set}}",
        "wide": "steps: {begin: {action: set}, "
        + "".join(f"s{at}: {{action: set, depends_on: begin}}, " for at in range(40))
        + "end: {action: fail, params: {message: no}, depends_on: s20}}",
    }
    write_plan(root / "plans", "shop", TASKS | odd)
    plans = [str(EXAMPLES), str(root / "plans")]
    async with serving(plans=plans, data_dir=str(root / "data")) as server:
        word = "long" * 60
        failed = await server.done("shop", "broken", inputs={"why": word}, labels={"team": word})
        await server.done("shop", "noise", inputs={"word": word})
        await server.done("shop", "wide")
        await server.run("shop", "hold")
        await server.post("/api/queue/pause")
        for delay in (0, 3600):
            await server.run("shop", "noise", inputs={"word": "x"}, delay_sec=delay)
        await server.run("shop", LONG_NAME)
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
        found[name] = await page.evaluate(RUN_AXE, "html")
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], name
        if name == "Queue":
            rows = page.locator(".window .queue-row")
            await expect(rows).to_have_count(2)
            assert await rows.evaluate_all(ARE_WHOLE)
            short, long = await rows.evaluate_all(HEIGHTS)
            assert (short < long) == (viewport == PHONE)  # a long name makes its own row high alone
    assert {name: each for name, each in found.items() if each} == {}


async def test_of_a_large_graph_is_seen_first_what_matters(
    shop: tuple[Served, str], open_page: OpenPage
) -> None:
    server, _ = shop
    page = (await open_page(server.url, "/#/plans/shop/wide", viewport=PHONE)).page
    steps = section(page, "Steps").locator(".step-node")
    await expect(steps.first).to_be_in_viewport()
    (failed,) = (await server.get("/api/runs?task_name=wide")).json["items"]
    await page.goto(f"{server.url}/#/runs/{failed['cid']}")
    await expect(section(page, "Steps").locator("[data-status=failed]")).to_be_in_viewport()


class _Judge:
    """Asks axe-core about parts of a page as they are opened."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._found: dict[str, Any] = {}

    async def ask(self, name: str, opened: Locator, part: str = "html") -> None:
        """Wait until `opened` is there, then have `part`, a selector, judged as `name`."""
        await expect(opened).to_be_visible()
        self._found[name] = await self._page.evaluate(RUN_AXE, part)
        width = await self._page.evaluate("document.documentElement.scrollWidth")
        assert width <= (self._page.viewport_size or PHONE)["width"], name

    @property
    def found(self) -> dict[str, Any]:
        """What was found, by names."""
        return {name: each for name, each in self._found.items() if each}


@pytest.mark.parametrize(("scheme", "viewport"), BOTH_THEMES)
async def test_what_opens_over_a_page_is_for_everyone(
    shop: tuple[Served, str], open_page: OpenPage, axe: str, scheme: str, viewport: dict[str, int]
) -> None:
    server, _ = shop
    visit = await open_page(server.url, viewport=viewport, color_scheme=scheme)
    page = visit.page
    await page.evaluate(axe)
    judge, dialog = _Judge(page), page.get_by_role("dialog")
    await page.get_by_role("link", name="To the content").focus()
    await judge.ask("skip", page.get_by_role("link", name="To the content"), ".skip")
    await page.keyboard.press("?")
    await judge.ask("help", dialog)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Stop …").click()
    await judge.ask("stop", dialog, "dialog")
    await dialog.get_by_role("button", name="Leave it").click()

    await _go(page, "/#/queue", "Queue")
    await page.get_by_label("Choose shop/noise, number 1").check()
    chosen = page.get_by_role("group", name="What to do with those chosen")
    await judge.ask("chosen", chosen, "main")
    await chosen.get_by_role("button", name="Cancel …").click()
    await judge.ask("cancel", dialog, "dialog")
    await dialog.get_by_role("button", name="Leave it").click()
    await chosen.get_by_role("button", name="Priority …").click()
    await judge.ask("priority", dialog, "dialog")
    await dialog.get_by_role("button", name="Set").click()
    await judge.ask("undo", page.get_by_role("button", name="Undo"), ".notice-corner")

    await _go(page, "/#/plans/shop/order", "order")
    form = section(page, "Start it")
    await form.get_by_text("Priority, delay, labels").click()
    await form.get_by_role("button", name="Copy as code").click()
    await judge.ask("code", form.locator(".code-view pre"), "main")
    visit.forgiven.append("status of 400")
    await form.get_by_role("button", name="Start").click()
    await judge.ask("mistakes", form.locator(".error-text").first, "main")
    visit.forgiven.append("status of 404")
    await page.evaluate("() => { location.hash = '#/runs/nothing'; }")
    await judge.ask("trouble", page.get_by_role("alert").filter(has_text="nothing"))
    await page.evaluate("() => { location.hash = '#/nowhere'; }")
    await judge.ask("nowhere", page.get_by_text("There is no such page"))
    assert judge.found == {}


@pytest.mark.parametrize(("scheme", "viewport"), BOTH_THEMES)
async def test_the_question_for_a_token_is_for_everyone(
    open_page: OpenPage, axe: str, scheme: str, viewport: dict[str, int], tmp_path: Path
) -> None:
    tokens = await put_tokens(tmp_path, reader=a_token("read"))
    async with serving(data_dir=str(tmp_path)) as server:
        visit = await open_page(server.url, viewport=viewport, color_scheme=scheme)
        visit.forgiven += ["status of 401", "status of 403"]
        page = visit.page
        await page.evaluate(axe)
        judge, question = _Judge(page), page.get_by_role("dialog")
        await judge.ask("question", question)
        await question.get_by_role("button", name="Not now").click()
        await judge.ask("left", page.get_by_role("button", name="Show a token …"))
        await page.get_by_role("button", name="Show a token …").click()
        await question.get_by_label("Token").fill(tokens["reader"])
        await question.get_by_role("button", name="Use it").click()
        await judge.ask("refusals", page.get_by_role("button", name="Stop …", disabled=True))
        assert judge.found == {}
        await page.goto("about:blank")


@pytest.mark.parametrize(("scheme", "viewport"), BOTH_THEMES)
async def test_the_reference_is_for_everyone(
    shop: tuple[Served, str], open_page: OpenPage, axe: str, scheme: str, viewport: dict[str, int]
) -> None:
    page = (await open_page(shop[0].url, "/docs", viewport=viewport, color_scheme=scheme)).page
    judge = _Judge(page)
    await expect(page.locator(".opblock").first).to_be_visible()
    await page.evaluate(axe)
    await judge.ask("closed", page.get_by_role("heading", level=1))
    run = page.locator("[id$=-runTask]")
    await run.locator(".opblock-summary-control").click()
    await run.get_by_role("tab", name="Schema").first.click()
    await run.get_by_role("button", name="Try it out").click()
    await expect(run.get_by_label("Request body")).to_be_editable()
    runs = page.locator("[id$=-listRuns]")
    await runs.locator(".opblock-summary-control").click()
    await runs.get_by_role("button", name="Try it out").click()
    await expect(runs.get_by_label("plan_name")).to_have_value("")
    await runs.get_by_role("button", name="Execute").click()
    await expect(runs.locator(".live-responses-table")).to_contain_text("stumble")
    schema = page.locator("#model-Problem")
    await schema.get_by_role("button").first.click()
    await expect(schema.get_by_text("status").first).to_be_visible()
    await judge.ask("open", schema)
    ask = page.get_by_role("button", name="Authorize")
    await ask.click()
    dialog = page.get_by_role("dialog", name="Available authorizations")
    await expect(dialog.get_by_label("token")).to_be_focused()
    await judge.ask("token", dialog)
    await page.keyboard.press("Escape")
    await expect(ask).to_be_focused()
    assert judge.found == {}
