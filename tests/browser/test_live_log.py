"""The page of the live log: filtered, paused, kept short, and on again after a restart.

Imports playwright, pytest and the tests' fixtures.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.shop import TASKS, heading, live, log_lines
from tests.probe_plan import write_probe
from tests.serving import Served, serving, write_plan

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOW = ("said", "shouted")
LEAVE_AT_ONCE = """() => {
  const Socket = WebSocket;
  window.streamClosed = new Promise((resolve) => {
    window.WebSocket = class extends Socket {
      constructor(url) {
        super(url);
        this.addEventListener("close", resolve);
        location.hash = "#/";
      }
    };
  });
}"""


async def test_the_live_log_is_filtered_paused_and_kept_short(
    shop: Served, open_page: OpenPage
) -> None:
    page = (await open_page(shop.url, "/#/logs")).page
    await expect(live(page)).to_have_text("Live")
    log = log_lines(page)
    await shop.done("shop", "noise", inputs={"word": "Ada"})
    await expect(log).to_contain_text("Ada shouted")
    await expect(log).not_to_contain_text("Ada whispered")
    await page.get_by_label("From level").select_option("error")
    await expect(log).not_to_contain_text("Ada said")
    await expect(log).to_contain_text("Ada shouted")
    await page.get_by_label("From level").select_option("debug")
    await expect(log).to_contain_text("Ada whispered")
    await page.get_by_label("Search the log").fill("ada SAID")
    await expect(log.locator(".line")).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"#/logs\?level=debug&q=ada\+SAID$"))
    await page.get_by_label("Search the log").fill("")

    time = log.locator("time").first
    await time.hover()
    await expect(time).to_have_attribute("title", re.compile(r"UTC: \d{4}-\d\d-\d\dT"))

    await page.get_by_role("button", name="Pause").click()
    await shop.done("shop", "noise", inputs={"word": "Grace"})
    go_on = page.get_by_role("button", name="Go on")
    await expect(go_on).to_have_attribute("aria-pressed", "true")
    await expect(log).not_to_contain_text("Grace")
    await go_on.click()
    await expect(log).to_contain_text("Grace shouted")

    await shop.done("probe", "say", inputs={"lines": 3000})
    await expect(log.locator(".line", has_text="line 2999")).to_have_count(1)
    await expect(page.get_by_role("button", name="Follow")).to_have_attribute(
        "aria-pressed", "true"
    )
    await expect(log.locator(".line").last).to_be_in_viewport()
    await expect(log.locator(".line")).to_have_count(2000)
    lines = await log.locator(".message").all_text_contents()
    numbers = [int(each.split()[1]) for each in lines if re.fullmatch(r"line \d+", each)]
    assert numbers == list(range(numbers[0], 3000))


async def test_who_leaves_before_the_stream_is_there_leaves_no_error(
    shop: Served, open_page: OpenPage
) -> None:
    page = (await open_page(shop.url)).page
    await page.evaluate(LEAVE_AT_ONCE)
    await page.goto(f"{shop.url}/#/logs")
    await expect(heading(page)).to_have_text("Overview")
    await page.evaluate("() => window.streamClosed")


async def test_the_log_goes_on_after_a_restart_without_gap_or_double(
    open_page: OpenPage, tmp_path: Path
) -> None:
    write_plan(tmp_path / "plans", "shop", TASKS)
    plans = [write_probe(tmp_path / "plans")]
    settings: dict[str, Any] = {"data_dir": str(tmp_path / "data"), "plans": plans}
    async with serving(**settings, monitor_buffer_lines=20) as before:
        port = int(before.url.rpartition(":")[2])
        visit = await open_page(before.url, "/#/logs")
        page = visit.page
        visit.forgiven += ["ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "WebSocket", "status of 503"]
        await expect(live(page)).to_have_text("Live")
        await before.done("probe", "say", inputs={"lines": 1000})
        await expect(log_lines(page).locator(".note").first).to_contain_text("left out")
        await before.done("shop", "noise", inputs={"word": "first"})
        await expect(log_lines(page)).to_contain_text("first shouted")
    trouble = page.get_by_text("The server does not answer.")
    await expect(trouble).to_be_visible()
    async with serving(**settings, port=port) as after:
        await after.done("shop", "noise", inputs={"word": "second"})
        await expect(log_lines(page)).to_contain_text("second shouted")
        messages = await log_lines(page).locator(".message").all_text_contents()
        said = [each for each in messages if re.fullmatch(r"(first|second) \w+", each)]
        assert said == [f"{word} {how}" for word in ("first", "second") for how in HOW]
        await expect(trouble).to_be_hidden()
        await page.goto("about:blank")
