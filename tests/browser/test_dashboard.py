"""The dashboard as a person uses it, in walks through its pages: one server serves them all.

Imports playwright, pytest and the tests' fixtures.
"""

import asyncio
import re
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.shop import heading, section, state
from tests.serving import Served
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""
MOST_BYTES = 150_000
SENT = """() => [...performance.getEntriesByType("navigation"),
  ...performance.getEntriesByType("resource")].reduce((sum, each) => sum + each.transferSize, 0)"""


def _cid(page: Page) -> str:
    return page.url.rpartition("/")[2]


async def test_an_example_is_found_filled_in_wrong_then_right_and_watched(
    shop: Served, open_page: OpenPage
) -> None:
    visit = await open_page(shop.url)
    page = visit.page
    await expect(state(page)).to_have_text("running")
    await expect(heading(page)).to_have_text("Overview")
    assert 10_000 < await page.evaluate(SENT) < MOST_BYTES
    await page.keyboard.press("g")
    await page.keyboard.press("p")
    await expect(heading(page)).to_have_text("Plans")
    await expect(page.get_by_role("link", name="Report on a CSV file")).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("csv fi")
    await expect(page.get_by_role("link", name="Check sites")).to_be_hidden()
    made = await shop.done("csv_report", "generate", inputs={"rows": 50, "file_name": "few.csv"})
    assert made["status"] == "succeeded"
    await page.get_by_role("link", name="Report on a CSV file").click()

    await expect(heading(page)).to_have_text("report")
    form = section(page, "Start it")
    visit.forgiven.append("status of 400")
    await form.get_by_label("charts").fill("999")
    await form.get_by_role("button", name="Start").click()
    path = form.get_by_label("CSV file")
    await expect(path).to_have_attribute("aria-invalid", "true")
    await expect(path).to_be_focused()
    await expect(form.locator("[data-input=charts] .error-text")).not_to_be_empty()
    await expect(form.locator("[data-input=quote] .error-text")).to_be_empty()
    await path.fill("few.csv")
    await form.get_by_label("charts").fill("2")
    await form.get_by_role("button", name="Start").click()

    await page.wait_for_url("**/#/runs/*")
    await expect(heading(page)).to_have_text("csv_report/report")
    await expect(page.locator(".page-head .chip")).to_have_text("succeeded")
    steps = section(page, "Steps").locator(".step-node")
    await expect(steps).to_have_count(4)
    for step in await steps.all():
        await expect(step).to_have_attribute("data-status", "success")
    await expect(section(page, "Timeline").locator(".bar")).to_have_count(4)
    await expect(section(page, "Result")).to_contain_text('"rows": 50')
    await section(page, "Steps").get_by_role("button", name="write").press("Enter")
    await expect(section(page, "Log").get_by_label("Search the log")).to_have_value("write")
    async with page.expect_download() as download:
        await section(page, "Log").get_by_role("button", name="Download").click()
    file = Path(await (await download.value).path())
    saved = await asyncio.to_thread(file.read_text, "utf-8")
    assert saved.count("\n") == len(await shop.log(_cid(page)))


async def test_every_kind_of_input_is_sent_and_shown_as_code(
    shop: Served, open_page: OpenPage
) -> None:
    visit = await open_page(shop.url, "/#/plans/shop/order")
    page = visit.page
    form = section(page, "Start it")
    await form.get_by_label("What").fill("it's tea")
    await form.get_by_label("amount").fill("2")
    await form.get_by_label("size").select_option("large")
    await form.get_by_label("gifts").fill("card\n\nRIBBON")
    await form.get_by_label("code", exact=True).fill("4711")
    await form.get_by_label("floor").fill("3")
    await form.get_by_text("Priority, delay, labels").click()
    await form.get_by_label("Labels").fill("team")
    await form.get_by_role("button", name="Start").click()
    await expect(form.locator("[data-input=labels] .error-text")).to_contain_text("key=value")
    await form.get_by_label("Labels").fill("team=tea")
    await form.get_by_label("Priority").fill("high")
    visit.forgiven += ["status of 422", "status of 400"]
    await form.get_by_role("button", name="Start").click()
    await expect(form.locator("[data-input=priority] .error-text")).not_to_be_empty()
    await form.get_by_label("Priority").fill("7")
    await form.get_by_role("button", name="Start").click()
    await expect(form.locator("[data-input=town] .error-text")).not_to_be_empty()
    wrong = form.locator("[data-input=gifts]")
    await expect(wrong.locator(".error-text")).to_contain_text("“RIBBON”: must match")
    await expect(wrong.locator(".help")).to_contain_text("3 items")
    await form.get_by_label("gifts").fill("card\nribbon")
    await form.get_by_label("town").fill("Graz")

    await form.get_by_role("button", name="Copy as code").click()
    code = form.locator(".code-view pre")
    await expect(code).to_contain_text(r"it'\''s tea")
    await form.get_by_role("button", name="Python").click()
    await expect(code).to_contain_text('"fast": False,')
    program = await code.text_content() or ""
    compile(program, "form.py", "exec")
    assert '"code": "<code>"' in program
    assert "4711" not in program
    await form.get_by_role("button", name="TypeScript").click()
    await expect(code).to_contain_text('"priority": 7')

    await form.get_by_role("button", name="Start").click()
    await page.wait_for_url("**/#/runs/*")
    done = await shop.finished(_cid(page))
    assert done["result"] == {
        "item": "it's tea",
        "amount": 2,
        "gifts": ["card", "ribbon"],
        "address": {"town": "Graz", "floor": 3},
    }
    assert (done["priority"], done["labels"]) == (7, {"team": "tea"})
    await page.get_by_role("link", name="Run with other inputs …").click()
    await expect(form.get_by_label("What")).to_have_value("it's tea")
    await expect(form.get_by_label("town")).to_have_value("Graz")
    await expect(form.get_by_label("code", exact=True)).to_have_value("")
    await expect(section(page, "Start it")).to_contain_text("Filled in as in the run")


async def test_the_steps_of_a_run_that_has_ended_are_coloured_however_late_they_are_drawn(
    shop: Served, open_page: OpenPage
) -> None:
    failed = await shop.done("shop", "broken")
    page = (await open_page(shop.url)).page
    has_seen_its_end = asyncio.Event()

    async def come_last(route: Route) -> None:
        await has_seen_its_end.wait()
        await route.continue_()

    await page.route("**/definition", come_last)
    await page.goto(f"{shop.url}/#/runs/{failed['cid']}")
    await expect(page.get_by_role("button", name="Retry from failed")).to_be_visible()
    await expect(section(page, "Timeline")).to_contain_text("stumble")
    has_seen_its_end.set()
    await expect(section(page, "Steps").locator("[data-status=failed]")).to_contain_text("stumble")


async def test_a_step_that_was_lost_took_no_longer_than_its_run(
    shop: Served, open_page: OpenPage
) -> None:
    done = await shop.done("shop", "broken")
    page = (await open_page(shop.url)).page

    async def lose_it(route: Route) -> None:
        timeline = await (await route.fetch()).json()
        lost = timeline["steps"][0]
        lost |= {"status": "lost", "started_at": "2026-03-02T09:15:00Z"}
        del lost["finished_at"]
        await route.fulfill(json={**timeline, "finished_at": "2026-03-02T09:15:05Z"})

    await page.route("**/timeline", lose_it)
    await page.goto(f"{shop.url}/#/runs/{done['cid']}")
    await expect(section(page, "Steps").locator("[data-status=lost]")).to_contain_text("lost · 5s")


async def test_why_the_last_run_failed_is_found_and_it_is_tried_again(
    shop: Served, open_page: OpenPage
) -> None:
    failed = await shop.done("shop", "broken")
    await shop.done("shop", "noise", inputs={"word": "fine"})
    page = (await open_page(shop.url)).page
    failures = section(page, "Latest failures")
    await failures.get_by_role("link", name="shop/broken").first.click()
    await expect(heading(page)).to_be_focused()
    error = page.locator(".error-box")
    await expect(error).to_contain_text("<img src=x onerror=alert(1)> broke")
    await expect(error.get_by_role("heading")).to_contain_text("stumble")
    await expect(page.locator("img")).to_have_count(0)
    await expect(section(page, "Steps").locator("[data-status=failed]")).to_contain_text("stumble")
    log = section(page, "Log")
    await error.get_by_role("button", name="Log of stumble").click()
    await expect(log).not_to_contain_text("walked")
    await log.get_by_label("Search the log").fill("")
    await expect(log).to_contain_text("walked")
    await page.set_viewport_size({"width": 1440, "height": 420})
    await page.evaluate("scrollTo(0, 0)")
    await log.get_by_role("button", name="Next error").dispatch_event("click")
    await expect(log.locator(".found")).to_contain_text("stumble")
    await expect(log.locator(".found")).to_be_in_viewport()

    await page.get_by_role("button", name="Retry from failed").click()
    await expect(page.get_by_text("Retry of")).to_be_visible()
    again = await shop.finished(_cid(page))
    assert again["retry_of"] == failed["cid"]
    await expect(section(page, "Steps").get_by_role("button", name="walk")).to_contain_text("kept")
    timeline = section(page, "Timeline")
    await expect(timeline.get_by_role("listitem").filter(has_text="walk")).to_contain_text("kept")
    await expect(timeline.locator(".bar")).to_have_count(1)
    await page.goto(f"{shop.url}/#/runs/{failed['cid']}")
    await expect(page.get_by_text("Retried as")).to_be_visible()

    await page.get_by_role("link", name="Runs", exact=True).first.click()
    await page.get_by_role("button", name=re.compile("^failed")).click()
    await expect(page).to_have_url(re.compile(r"#/runs\?status=failed$"))
    search = page.get_by_label("Search runs")
    await search.fill("shop/brok")
    await expect(page).to_have_url(re.compile(r"q=shop%2Fbrok"))
    runs = page.get_by_role("table")
    await expect(runs).to_contain_text("shop/broken")
    await expect(runs).not_to_contain_text("shop/noise")
    await page.goto(page.url.replace("shop%2Fbrok", "nothing-like-it"))
    await expect(page.locator("main")).to_contain_text("No run passes these filters.")
    await expect(search).to_have_value("nothing-like-it")
    await page.go_back()
    await expect(runs).to_contain_text("shop/broken")


async def test_a_newcomer_finds_why_it_failed_how_to_run_it_otherwise_and_what_runs_next(
    shop: Served, open_page: OpenPage
) -> None:
    await shop.done("csv_report", "generate", inputs={"rows": 20, "file_name": "right.csv"})
    await shop.done("csv_report", "report", inputs={"path": "wrong.csv", "charts": 1})
    page = (await open_page(shop.url)).page
    failure = section(page, "Latest failures").get_by_role("row").nth(1)
    await expect(failure).to_contain_text(re.compile("(now|ago) · There is no file"))
    await failure.get_by_role("link", name="csv_report/report").click()
    await expect(page.locator(".error-box")).to_contain_text("wrong.csv")
    await page.get_by_role("link", name="Run with other inputs …").click()
    await expect(page.get_by_label("charts")).to_have_value("1")
    await page.get_by_label("CSV file").fill("right.csv")
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.locator(".page-head .chip")).to_have_text("succeeded")

    await shop.post("/api/queue/pause")
    await shop.run("shop", "noise", inputs={"word": "second"})
    await shop.run("shop", "broken", priority=3)
    await shop.run("hello", "greet", delay_sec=3600)
    await page.get_by_role("link", name="Overview").click()
    upcoming = section(page, "Up next").get_by_role("listitem")
    await expect(upcoming).to_have_text(
        [
            re.compile("1.*shop/broken.*the queue is paused"),
            re.compile("2.*shop/noise.*the queue is paused"),
            re.compile("hello/greet.*starts in"),
        ]
    )
    await shop.request("DELETE", "/api/queue/clear")
    await shop.post("/api/queue/resume")
    await expect(page.get_by_text("Nothing waits, and no schedule is on.")).to_be_visible()
    schedule = "/api/schedules/" + quote("site_check/this_server", safe="")
    await shop.request("PATCH", schedule, json={"enabled": True})
    await page.reload()
    await expect(upcoming).to_have_text([re.compile("site_check/check.*by its schedule, in")])
    await shop.request("PATCH", schedule, json={"enabled": False})


async def test_a_long_run_is_cancelled_and_the_system_stopped_and_started(
    shop: Served, open_page: OpenPage
) -> None:
    cid = await shop.run("shop", "hold")
    visit = await open_page(shop.url, f"/#/runs/{cid}")
    page = visit.page
    hold = section(page, "Steps").get_by_role("button", name="hold")
    await expect(hold).to_have_attribute("data-status", "running")
    await page.get_by_role("link", name="Overview").click()
    active = section(page, "Running now")
    await active.get_by_role("button", name="Cancel: shop/hold").click()
    await expect(active).to_contain_text("Nothing runs right now.")
    assert (await shop.finished(cid))["status"] == "cancelled"

    await page.get_by_role("button", name="Stop …").click()
    await page.get_by_role("dialog").get_by_role("button", name="Let them finish").click()
    await expect(state(page)).to_have_text("stopped")
    cid = await shop.run("hello", "greet")
    await page.goto(f"{shop.url}/#/runs/{cid}")
    await expect(page.locator("main")).to_contain_text("the system is stopped")
    await page.goto(f"{shop.url}/#/")
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(state(page)).to_have_text("running")
    await expect(section(page, "Workers")).to_contain_text("worker-1")
    assert (await shop.finished(cid))["status"] == "succeeded"
    visit.forgiven.append("status of 404")
    await page.goto(f"{shop.url}/#/runs/nothing")
    await expect(page.get_by_role("alert").filter(has_text="nothing")).to_be_visible()
    await expect(page.get_by_role("button", name="Cancel")).to_be_hidden()


async def test_a_schedule_is_enabled_and_run(shop: Served, open_page: OpenPage) -> None:
    page = (await open_page(shop.url, "/#/schedules")).page
    row = page.get_by_role("listitem").filter(has_text="site_check/this_server")
    await row.get_by_role("button", name="Enable").click()
    await expect(row.get_by_role("button", name="Disable")).to_be_visible()
    await row.get_by_role("button", name="Disable").click()
    await row.get_by_role("button", name="Run now").click()
    await page.get_by_role("link", name="Show").click()
    await expect(heading(page)).to_have_text("site_check/check")
    await shop.post(f"/api/tasks/{_cid(page)}/cancel")
    ended = (await shop.finished(_cid(page)))["status"]
    await page.go_back()
    await expect(row.locator(".chip")).to_have_text(ended.replace("_", " "))


async def test_it_speaks_chinese_where_the_browser_does(shop: Served, open_page: OpenPage) -> None:
    page = (await open_page(shop.url, locale="zh-CN")).page
    await expect(heading(page)).to_have_text("概览")
    await expect(state(page)).to_have_text("运行中")
    assert await page.locator("html").get_attribute("lang") == "zh-CN"
    await page.goto(f"{shop.url}/#/runs?plan_name=shop&label=team=tea")
    await expect(page.get_by_role("group", name="其他筛选")).to_contain_text("方案 shop")


async def test_the_keyboard_alone_is_enough(shop: Served, open_page: OpenPage) -> None:
    page = (await open_page(shop.url)).page
    await expect(state(page)).to_have_text("running")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="To the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await page.keyboard.press("?")
    help_page = page.get_by_role("dialog", name="Keyboard")
    await expect(help_page).to_contain_text("Next and previous entry")
    await page.keyboard.press("Escape")
    await expect(help_page).to_have_count(0)
    await page.keyboard.press("g")
    await page.keyboard.press("p")
    await page.keyboard.press("/")
    await page.keyboard.type("order s")
    await page.keyboard.press("Escape")
    await expect(page.get_by_label("Search tasks")).to_have_value("order s")
    link = page.get_by_role("link", name="Order something")
    await expect(link).to_be_visible()
    await link.focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("What").focus()
    await page.keyboard.type("tea")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/#/runs/*")
    await expect(page.locator(".page-head .chip")).to_have_text("succeeded")


async def test_a_page_that_nobody_sees_asks_nothing(shop: Served, open_page: OpenPage) -> None:
    page = (await open_page(shop.url)).page
    await page.clock.install()
    await page.reload()
    await expect(state(page)).to_have_text("running")
    await expect(section(page, "Workers")).to_contain_text("worker-1")
    asked: list[str] = []
    await page.evaluate(HIDE, True)
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    await page.clock.fast_forward(60_000)
    await page.evaluate("fetch('/healthz').then((answer) => answer.text())")
    assert asked == ["/healthz"]
    await page.evaluate(HIDE, False)
    await until(lambda: {"/api/system/status", "/api/runs"} <= set(asked))


async def test_the_reference_shows_every_operation(shop: Served, open_page: OpenPage) -> None:
    page = (await open_page(shop.url, "/docs")).page
    operations = page.locator(".opblock")
    await expect(operations.first).to_be_visible()
    contract = (await (await shop.session.get(shop.url + "/openapi.json")).json())["paths"]
    assert await operations.count() == sum(
        method in item
        for item in contract.values()
        for method in ("get", "post", "put", "patch", "delete")
    )
    health = page.locator("#operations-health-getHealth")
    await health.locator(".opblock-summary-control").click()
    await health.get_by_role("button", name="Try it out").click()
    await health.get_by_role("button", name="Execute").click()
    answer = health.locator(".live-responses-table tbody .response-col_status")
    await expect(answer).to_contain_text("200")
