"""The dashboard as a person uses it: start a task, watch it, stop it, read the log.

Imports playwright, pytest and the tests' fixtures.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import OpenPage, Visit
from tests.conftest import MakeServer
from tests.probe_plan import write_probe
from tests.serving import EXAMPLES, Served, serving, write_plan
from tests.waiting import until

TASKS = {
    "order": """
meta:
  title: Order something
  inputs:
    - {name: item, type: string, required: true, label: What, description: Its name}
    - {name: amount, type: integer, min: 1, max: 9, default: 1}
    - {name: size, type: string, enum: [small, large], default: small}
    - {name: fast, type: boolean, default: false}
    - {name: gifts, type: list<string>}
    - {name: address, type: dict}
    - {name: code, type: string, secret: true}
steps:
  confirm: {action: log, params: {message: "ordered {{ inputs.item }}"}}
returns: {item: "{{ inputs.item }}", amount: "{{ inputs.amount }}", gifts: "{{ inputs.gifts }}"}
""",
    "hold": """
steps:
  hold: {action: sleep, params: {seconds: 600}}
""",
    "noise": """
meta:
  inputs: [{name: word, type: string, required: true}]
steps:
  low: {action: log, params: {message: "{{ inputs.word }} whispered", level: debug}}
  middle: {action: log, params: {message: "{{ inputs.word }} said"}, depends_on: low}
  high:
    action: log
    params: {message: "{{ inputs.word }} shouted", level: error}
    depends_on: middle
""",
    "broken": """
steps:
  stumble: {action: fail, params: {message: "<img src=x onerror=alert(1)> broke"}}
""",
}

HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
async def shop(make_server: MakeServer, tmp_path: Path) -> Served:
    """A server with the example plans and the plan `shop`, made for these tests."""
    write_plan(tmp_path / "plans", "shop", TASKS)
    return await make_server(plans=[str(EXAMPLES), str(tmp_path / "plans")])


def _section(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def _log(page: Page) -> Locator:
    return _section(page, "Live log").get_by_role("log")


async def _live(page: Page) -> None:
    await expect(_section(page, "Live log").get_by_role("status")).to_have_text("Live")


async def test_it_shows_the_system_and_asks_nobody_else(shop: Served, open_page: OpenPage) -> None:
    visit = await open_page(shop.url)
    page = visit.page
    await expect(page.locator("header").get_by_role("status")).to_have_text("running")
    await expect(_section(page, "Running now")).to_contain_text("Nothing runs right now.")
    await expect(_section(page, "Latest runs")).to_contain_text("No run yet.")
    plans = _section(page, "Plans")
    for name in ("Hello", "shop"):
        await expect(plans.locator("summary", has_text=name).first).to_be_visible()
    await _live(page)
    figures = page.get_by_label("Queue in figures")
    await expect(figures).to_contain_text(re.compile("Ready to start.*0.*Running.*0"))


async def test_a_task_is_started_from_its_form(shop: Served, open_page: OpenPage) -> None:
    visit = await open_page(shop.url)
    page = visit.page
    await page.get_by_label("Run shop/order …").click()
    form = _section(page, "shop/order")
    visit.forgiven.append("status of 400")
    await form.get_by_label("amount").fill("12")
    await form.get_by_role("button", name="Start").click()
    what = form.get_by_label("What")
    await expect(what).to_have_attribute("aria-invalid", "true")
    await expect(what).to_be_focused()
    for field in ("item", "amount"):
        await expect(form.locator(f"[data-input={field}] .error-text")).not_to_be_empty()
    await expect(form.locator("[data-input=size] .error-text")).to_be_empty()

    await what.fill("tea")
    await form.get_by_label("amount").fill("2")
    await form.get_by_label("gifts").fill("card\nribbon")
    await form.get_by_role("button", name="Start").click()

    await page.wait_for_url("**/#/runs/*")
    run = _section(page, "shop/order")
    await expect(run.locator(".chip")).to_have_text("succeeded")
    await expect(run.get_by_role("log")).to_contain_text("ordered tea")
    cid = page.url.rpartition("/")[2]
    done = await shop.finished(cid)
    assert done["result"] == {"item": "tea", "amount": 2, "gifts": ["card", "ribbon"]}
    row = _section(page, "Latest runs").get_by_role("row", name="shop/order")
    await expect(row).to_contain_text("succeeded")
    await expect(_log(page).locator(".line", has_text="ordered tea")).to_have_count(1)


async def test_the_example_that_greets(shop: Served, open_page: OpenPage) -> None:
    visit = await open_page(shop.url, "/#/tasks/hello/greet")
    page = visit.page
    form = _section(page, "hello/greet")
    visit.forgiven.append("status of 400")
    await form.locator("[data-input=name] input").fill("A" * 201)
    await form.get_by_role("button", name="Start").click()
    await expect(form.locator("[data-input=name] .error-text")).not_to_be_empty()
    await form.locator("[data-input=name] input").fill("Ada")
    await form.get_by_role("button", name="Start").click()
    await page.wait_for_url("**/#/runs/*")
    await expect(_section(page, "hello/greet").locator(".chip")).to_have_text("succeeded")
    await expect(_log(page)).to_contain_text("Hello, Ada!")


async def test_what_the_request_itself_has_wrong_is_shown_at_its_field(
    shop: Served, open_page: OpenPage
) -> None:
    visit = await open_page(shop.url, "/#/tasks/shop/hold")
    page = visit.page
    form = _section(page, "shop/hold")
    visit.forgiven.append("status of 422")
    await form.locator("summary").click()
    await form.get_by_label("Priority").fill("high")
    await form.get_by_role("button", name="Start").click()
    await expect(form.locator("[data-input=priority] .error-text")).not_to_be_empty()
    await expect(form.get_by_label("Priority")).to_be_focused()


async def test_a_run_is_started_again_with_other_inputs(shop: Served, open_page: OpenPage) -> None:
    first = await shop.done("shop", "order", inputs={"item": "tea", "amount": 3, "code": "4711"})
    page = (await open_page(shop.url, f"/#/runs/{first['cid']}")).page
    await page.get_by_role("link", name="Run again …").click()
    form = _section(page, "shop/order")
    await expect(form.get_by_label("What")).to_have_value("tea")
    await expect(form.get_by_label("amount")).to_have_value("3")
    await expect(form.get_by_label("code")).to_have_value("")
    await form.get_by_label("What").fill("coffee")
    await form.get_by_role("button", name="Start").click()
    await page.wait_for_url("**/#/runs/*")
    again = await shop.finished(page.url.rpartition("/")[2])
    assert again["result"]["item"] == "coffee"
    assert again["result"]["amount"] == 3


async def test_a_long_run_is_cancelled(shop: Served, open_page: OpenPage) -> None:
    cid = await shop.run("shop", "hold")
    page = (await open_page(shop.url)).page
    active = _section(page, "Running now")
    await expect(active.locator(".chip")).to_have_text("running")
    await active.get_by_role("button", name="Cancel: shop/hold").click()
    await expect(active).to_contain_text("Nothing runs right now.")
    await expect(_section(page, "Latest runs").locator(".chip").first).to_have_text("cancelled")
    assert (await shop.finished(cid))["status"] == "cancelled"


async def test_why_a_run_failed_is_found_and_is_text(shop: Served, open_page: OpenPage) -> None:
    await shop.done("shop", "broken")
    page = (await open_page(shop.url)).page
    runs = _section(page, "Latest runs")
    await runs.get_by_role("button", name="failed 1").click()
    await runs.get_by_role("link", name="shop/broken").click()
    run = _section(page, "shop/broken")
    await expect(run.locator(".error-box")).to_contain_text("<img src=x onerror=alert(1)> broke")
    await expect(run.locator(".error-box h3")).to_contain_text("stumble")
    await expect(page.locator("img")).to_have_count(0)


async def test_a_run_that_does_not_exist_is_told(shop: Served, open_page: OpenPage) -> None:
    visit = await open_page(shop.url, "/#/runs/nothing")
    visit.forgiven.append("status of 404")
    run = _section(visit.page, "nothing")
    await expect(run.get_by_role("alert")).to_contain_text("nothing")
    await expect(run.get_by_role("button", name="Cancel")).to_be_hidden()


async def test_the_log_is_live_and_filtered_by_level(shop: Served, open_page: OpenPage) -> None:
    page = (await open_page(shop.url)).page
    await _live(page)
    log = _log(page)
    await shop.done("shop", "noise", inputs={"word": "Ada"})
    await expect(log).to_contain_text("Ada shouted")
    await expect(log).to_contain_text("Ada said")
    await expect(log).not_to_contain_text("Ada whispered")

    await page.get_by_label("From level").select_option("error")
    await expect(log).not_to_contain_text("Ada said")
    await expect(log).to_contain_text("Ada shouted")
    await shop.done("shop", "noise", inputs={"word": "Grace"})
    await expect(log).to_contain_text("Grace shouted")
    await expect(log).not_to_contain_text("Grace said")

    await page.get_by_label("From level").select_option("debug")
    for word in ("whispered", "said", "shouted"):
        await expect(log).to_contain_text(f"Grace {word}")


async def test_the_log_can_be_paused(shop: Served, open_page: OpenPage) -> None:
    page = (await open_page(shop.url)).page
    await _live(page)
    section = _section(page, "Live log")
    await section.get_by_role("button", name="Pause").click()
    await shop.done("shop", "noise", inputs={"word": "Ada"})
    go_on = section.get_by_role("button", name="Go on")
    await expect(go_on).to_have_attribute("aria-pressed", "true")
    await expect(_log(page)).not_to_contain_text("Ada")
    await go_on.click()
    await expect(_log(page)).to_contain_text("Ada shouted")


async def test_the_log_keeps_the_newest_lines_only(
    make_server: MakeServer, open_page: OpenPage, tmp_path: Path
) -> None:
    server = await make_server(plans=[write_probe(tmp_path / "plans")])
    page = (await open_page(server.url)).page
    await _live(page)
    await server.done("probe", "say", inputs={"lines": 3000})
    await expect(_log(page).locator(".line").last).to_contain_text("line 2999")
    assert await _log(page).locator(".line").count() == 2000


async def test_the_log_says_what_it_could_not_show(
    make_server: MakeServer, open_page: OpenPage, tmp_path: Path
) -> None:
    server = await make_server(plans=[write_probe(tmp_path / "plans")], monitor_buffer_lines=1)
    page = (await open_page(server.url)).page
    await _live(page)
    await server.done("probe", "say", inputs={"lines": 1000})
    await expect(_log(page).locator(".note").first).to_contain_text("left out")


async def test_the_log_goes_on_after_a_restart_without_gap_or_double(
    open_page: OpenPage, tmp_path: Path
) -> None:
    write_plan(tmp_path / "plans", "shop", TASKS)
    settings = {"data_dir": str(tmp_path / "data"), "plans": [str(tmp_path / "plans")]}
    async with serving(**settings) as before:
        port = int(before.url.rpartition(":")[2])
        visit = await open_page(before.url)
        visit.forgiven += ["ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "WebSocket", "status of 503"]
        await _live(visit.page)
        await before.done("shop", "noise", inputs={"word": "first"})
        await expect(_log(visit.page)).to_contain_text("first shouted")
    trouble = visit.page.get_by_text("The server does not answer.")
    await expect(trouble).to_be_visible()
    async with serving(**settings, port=port) as after:
        await after.done("shop", "noise", inputs={"word": "second"})
        await expect(_log(visit.page)).to_contain_text("second shouted")
        said = [f"{word} {how}" for word in ("first", "second") for how in ("said", "shouted")]
        assert await _said(visit) == said
        await expect(trouble).to_be_hidden()
        await visit.page.goto("about:blank")


async def _said(visit: Visit) -> list[str]:
    messages = await _log(visit.page).locator(".message").all_text_contents()
    return [each for each in messages if re.fullmatch(r"(first|second) \w+", each)]


async def test_the_system_is_stopped_and_started(shop: Served, open_page: OpenPage) -> None:
    page = (await open_page(shop.url)).page
    state = page.locator("header").get_by_role("status")
    await page.get_by_role("button", name="Stop …").click()
    await page.get_by_role("dialog").get_by_role("button", name="Let them finish").click()
    await expect(state).to_have_text("stopped")
    cid = await shop.run("hello", "greet")
    await page.goto(f"{shop.url}/#/runs/{cid}")
    await expect(_section(page, "hello/greet")).to_contain_text("the system is stopped")
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(state).to_have_text("running")
    await expect(_section(page, "hello/greet").locator(".chip")).to_have_text("succeeded")


async def test_it_speaks_chinese_where_the_browser_does(shop: Served, open_page: OpenPage) -> None:
    page = (await open_page(shop.url, locale="zh-CN")).page
    await expect(page.get_by_role("heading", name="实时日志")).to_be_visible()
    await expect(page.locator("header").get_by_role("status")).to_have_text("运行中")
    assert await page.locator("html").get_attribute("lang") == "zh-CN"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_phone(shop: Served, open_page: OpenPage, scheme: str) -> None:
    cid = (await shop.done("shop", "order", inputs={"item": "tea" * 200}))["cid"]
    phone = {"width": 360, "height": 740}
    page = (await open_page(shop.url, viewport=phone, color_scheme=scheme)).page
    await _live(page)
    for path in ("/", f"/#/runs/{cid}", "/#/tasks/shop/order"):
        await page.goto(shop.url + path)
        await expect(page.get_by_role("heading", level=2).first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= phone["width"]


async def test_it_is_used_with_the_keyboard_alone(shop: Served, open_page: OpenPage) -> None:
    page = (await open_page(shop.url)).page
    link = page.get_by_label("Run shop/order …")
    await expect(link).to_be_visible()
    await link.focus()
    await page.keyboard.press("Enter")
    panel = _section(page, "shop/order")
    await expect(panel.get_by_role("heading", level=2)).to_be_focused()
    await panel.get_by_label("What").focus()
    await page.keyboard.type("tea")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/#/runs/*")
    await expect(panel.locator(".chip")).to_have_text("succeeded")
    await page.keyboard.press("Escape")
    await expect(_section(page, "Plans")).to_be_visible()


async def test_a_page_that_nobody_sees_asks_nothing(shop: Served, open_page: OpenPage) -> None:
    page = (await open_page(shop.url)).page
    await page.clock.install()
    await page.reload()
    await _live(page)
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
