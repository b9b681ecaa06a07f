"""The queue's page as a person uses it: ordered by hand, changed by many, long.

Imports playwright, pytest and the tests' fixtures.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenPage
from tests.serving import Served
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def _paused(shop: Served) -> AsyncIterator[None]:
    await shop.post("/api/queue/pause")
    try:
        yield
    finally:
        await shop.request("DELETE", "/api/queue/clear")
        await shop.post("/api/queue/resume")


async def _queued(shop: Served) -> list[str]:
    found = (await shop.get("/api/queue/list")).json["items"]
    return [each["labels"].get("n", "?") for each in found]


async def test_the_queue_is_reordered_by_drag_and_by_keyboard_and_many_are_changed(
    shop: Served, open_page: OpenPage
) -> None:
    async with _paused(shop):
        for number in "abcde":
            await shop.run("shop", "noise", inputs={"word": "x"}, labels={"n": number})
        await shop.run("shop", "hold", delay_sec=3600, labels={"n": "late"})
        page = (await open_page(shop.url, "/#/queue")).page
        rows = page.locator(".window .queue-row")
        await expect(rows).to_have_count(5)
        await expect(page.locator("main")).to_contain_text("The queue is paused")

        await page.get_by_label("Move shop/noise, number 5").focus()
        await page.keyboard.press("ArrowUp")
        await expect(page.get_by_label("Move shop/noise, number 4")).to_be_focused()
        await until_order(shop, "abced")
        await page.get_by_role("button", name="Undo").last.click()
        await until_order(shop, "abcde")

        handle = page.get_by_label("Move shop/noise, number 1")
        target = await rows.nth(2).bounding_box()
        await handle.hover()
        await page.mouse.down()
        assert target is not None
        await page.mouse.move(target["x"] + 60, target["y"] + 20, steps=5)
        await page.mouse.up()
        await until_order(shop, "bcade")

        await page.get_by_label("Choose shop/noise, number 4").check()
        await page.get_by_label("Choose shop/noise, number 5").check()
        chosen = page.get_by_role("group", name="What to do with those chosen")
        await chosen.get_by_role("button", name="Priority …").click()
        await page.get_by_role("dialog").get_by_label("Priority").fill("9")
        await page.get_by_role("dialog").get_by_role("button", name="Set").click()
        await until_order(shop, "debca")
        await expect(chosen).to_be_hidden()
        await page.get_by_label("Choose shop/noise, number 5").check()
        await chosen.get_by_role("button", name="Cancel …").click()
        await page.get_by_role("dialog").get_by_role("button", name="Cancel …").click()
        await until_order(shop, "debc")

        await page.get_by_role("button", name="Delayed").click()
        await page.get_by_label("Choose shop/hold, number 1").check()
        await chosen.get_by_role("button", name="Make ready now").click()
        await expect(page.locator("main")).to_contain_text("Nothing is delayed.")
        found = (await shop.get("/api/queue/list")).json["items"]
        assert [each["task_name"] for each in found][-1] == "hold"


async def until_order(shop: Served, wanted: str) -> None:
    """Wait until the queue has the runs with these labels, in this order."""
    seen: list[str] = []

    async def look() -> bool:
        seen[:] = await _queued(shop)
        return "".join(seen) == wanted

    await until(look)


async def test_the_queue_shows_what_is_in_sight_only(shop: Served, open_page: OpenPage) -> None:
    task = {"plan_name": "shop", "task_name": "noise", "inputs": {"word": "x"}}
    async with _paused(shop):
        for _ in range(2):
            await shop.post("/api/tasks/batch", {"tasks": [task] * 1000})
        page = (await open_page(shop.url, "/#/queue")).page
        rows = page.locator(".window .queue-row")
        await expect(rows.first).to_be_visible()
        assert await rows.count() < 60
        await page.locator(".window").evaluate("(box) => { box.scrollTop = box.scrollHeight; }")
        await expect(page.get_by_label("Move shop/noise, number 2,000")).to_be_visible()
        assert await rows.count() < 60
