"""The queue's page as a person uses it: ordered by hand, changed by many, long.

Imports playwright, pytest and the tests' fixtures.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, expect

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

        # Steps of one entry by the keys are undone together, whatever was moved before.
        undo = page.get_by_role("button", name="Undo")
        await page.get_by_label("Move shop/noise, number 2").focus()
        await page.keyboard.press("ArrowUp")
        await until_order(shop, "bacde")
        await expect(undo).to_have_count(1)
        await undo.click()
        await until_order(shop, "abcde")
        await page.get_by_label("Move shop/noise, number 5").focus()
        for order, place in (("abced", 4), ("abecd", 3)):
            await page.keyboard.press("ArrowUp")
            await expect(page.get_by_label(f"Move shop/noise, number {place}")).to_be_focused()
            await until_order(shop, order)
            await expect(page.get_by_text(f"is number {place} now")).to_be_visible()
        await expect(undo).to_have_count(1)
        await undo.click()
        await until_order(shop, "abcde")

        handle = page.get_by_label("Move shop/noise, number 1")
        target = await rows.nth(2).bounding_box()
        await handle.hover()
        await page.mouse.down()
        assert target is not None
        await page.mouse.move(target["x"] + 60, target["y"] + 20, steps=5)
        await page.mouse.up()
        await until_order(shop, "bcade")

        # A priority that is undone gives the place back that it was moved to.
        chosen = page.get_by_role("group", name="What to do with those chosen")
        await _give_priority(page, "8", 3)
        await until_order(shop, "abcde")
        await undo.click()
        await until_order(shop, "bcade")

        await _give_priority(page, "9", 4, 5)
        await until_order(shop, "debca")
        await expect(chosen).to_be_hidden()
        await page.get_by_label("Choose shop/noise, number 5").check()
        await chosen.get_by_role("button", name="Cancel …").click()
        await expect(page.get_by_role("dialog", name="Cancel 1 queued run?")).to_be_visible()
        await page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
        await until_order(shop, "debc")

        await page.get_by_role("button", name="Delayed").click()
        await page.get_by_label("Choose shop/hold, number 1").check()
        await chosen.get_by_role("button", name="Make ready now").click()
        await expect(page.get_by_text("Nothing is delayed.")).to_be_visible()
        found = (await shop.get("/api/queue/list")).json["items"]
        assert [each["task_name"] for each in found][-1] == "hold"


async def _give_priority(page: Page, value: str, *places: int) -> None:
    """Choose the entries at these places, and type a priority for them."""
    for place in places:
        await page.get_by_label(f"Choose shop/noise, number {place}").check()
    await page.get_by_role("button", name="Priority …").click()
    await expect(page.get_by_role("dialog").get_by_label("Priority")).to_be_focused()
    await page.keyboard.type(value)
    await page.keyboard.press("Enter")


async def until_order(shop: Served, wanted: str) -> None:
    """Wait until the queue has the runs with these labels, in this order."""
    seen: list[str] = []

    async def look() -> bool:
        seen[:] = await _queued(shop)
        return "".join(seen) == wanted

    await until(look)


async def _order(shop: Served) -> list[str]:
    cids: list[str] = []
    query = {"limit": "1000"}
    while True:  # unchecked: a thousand entries take the contract's check longer than Undo is shown
        async with shop.session.get(f"{shop.url}/api/queue/list", params=query) as response:
            page = await response.json()
        cids += [each["cid"] for each in page["items"]]
        if "next_cursor" not in page:
            return cids
        query["cursor"] = page["next_cursor"]


async def test_a_long_queue_is_shown_in_sight_only_and_changed_far_down(
    shop: Served, open_page: OpenPage
) -> None:
    task = {"plan_name": "shop", "task_name": "noise", "inputs": {"word": "x"}}
    async with _paused(shop):
        for _ in range(2):
            await shop.post("/api/tasks/batch", {"tasks": [task] * 1000})
        begun = await _order(shop)
        visit = await open_page(shop.url, "/#/queue")
        page = visit.page
        rows = page.locator(".window .queue-row")
        await expect(rows.first).to_be_visible()
        assert await rows.count() < 60
        await page.locator(".window").evaluate("(box) => { box.scrollTop = box.scrollHeight; }")
        last = page.get_by_label("Move shop/noise, number 2,000")
        await expect(last).to_be_visible()
        assert await rows.count() < 60

        # What a move does is known: so much is not read anew for it.
        await last.focus()
        asked = len(visit.addresses)
        await page.keyboard.press("ArrowUp")
        await expect(page.get_by_text("shop/noise is number 1,999 now.")).to_be_visible()
        assert not any("/queue/list" in each for each in visit.addresses[asked:])
        moved = [*begun[:-2], begun[-1], begun[-2]]
        assert await _order(shop) == moved

        # The row with the focus stays when it is scrolled out of sight.
        await page.locator(".window").evaluate("(box) => { box.scrollTop = 0; }")
        await expect(page.get_by_label("Move shop/noise, number 1", exact=True)).to_be_visible()
        await expect(page.get_by_label("Move shop/noise, number 1,999")).to_be_focused()
        assert await rows.count() < 60

        # Several, the first and the last of them far apart, to the front and back again.
        await page.get_by_label("Choose shop/noise, number 3", exact=True).check()
        await page.locator(".window").evaluate("(box) => { box.scrollTop = box.scrollHeight; }")
        await page.get_by_label("Choose shop/noise, number 2,000").check()
        await page.get_by_role("button", name="To the front").click()
        await expect(page.get_by_text("Moved to the front: 2.")).to_be_visible()
        assert await _order(shop) == [moved[2], moved[-1], *moved[:2], *moved[3:-1]]
        await page.get_by_role("button", name="Undo").last.click()
        await expect(page.get_by_text("Undone.")).to_be_visible()
        assert await _order(shop) == moved
