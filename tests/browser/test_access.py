"""The dashboard of a server that asks for tokens: it asks a person, and shows what it was given.

Imports playwright, pytest and the tests' fixtures.
"""

from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import OpenPage, Visit
from tests.conftest import MakeServer
from tests.serving import EXAMPLES, Served, write_plan
from tests.tokens import a_token, bearer, put_tokens

Guarded = tuple[Served, dict[str, str]]


@pytest.fixture
async def guarded(make_server: MakeServer, tmp_path: Path) -> Guarded:
    """A server with two plans, and tokens for all that may be done."""
    data = tmp_path / "data"
    tokens = await put_tokens(
        data,
        admin=a_token("admin"),
        reader=a_token("read"),
        narrowed=a_token("read", "shop"),
    )
    task = "steps: {say: {action: log, params: {message: 'a word from the shop'}}}"
    write_plan(tmp_path / "plans", "shop", {"say": task})
    plans = [str(EXAMPLES), str(tmp_path / "plans")]
    return await make_server(data_dir=str(data), plans=plans), tokens


async def _open(open_page: OpenPage, guarded: Guarded) -> Visit:
    visit = await open_page(guarded[0].url)
    visit.forgiven += ["status of 401", "status of 403"]
    return visit


def _question(page: Page) -> Locator:
    return page.get_by_role("dialog", name="The server asks for a token")


async def _give(page: Page, secret: str) -> None:
    await _question(page).get_by_label("Token").fill(secret)
    await _question(page).get_by_role("button", name="Use it").click()


def _state(page: Page) -> Locator:
    return page.locator("header").get_by_role("status")


def _log(page: Page) -> Locator:
    return page.get_by_role("region", name="Live log", exact=True)


async def test_it_asks_for_a_token_and_works_with_it(guarded: Guarded, open_page: OpenPage) -> None:
    server, tokens = guarded
    visit = await _open(open_page, guarded)
    page = visit.page
    await expect(_question(page)).to_contain_text("This server asks for a token")
    await _give(page, "nonsense")
    await expect(_question(page)).to_contain_text("The token is none of this server's.")
    await _give(page, tokens["admin"])
    await expect(_question(page)).to_have_count(0)
    await expect(_state(page)).to_have_text("running")
    await expect(_log(page).get_by_role("status")).to_have_text("Live")
    body = {"plan_name": "shop", "task_name": "say"}
    await server.post("/api/tasks/run", body, headers=bearer(tokens["admin"]))
    await expect(_log(page).get_by_role("log")).to_contain_text("a word from the shop")
    assert not any(tokens["admin"] in address for address in visit.addresses)
    assert any("/ws/logs?ticket=" in address for address in visit.addresses)

    await page.reload()
    await expect(_state(page)).to_have_text("running")
    await expect(_question(page)).to_have_count(0)
    await page.get_by_role("button", name="Forget token").click()
    await expect(_question(page)).to_be_visible()


async def test_who_leaves_the_question_is_not_pestered(
    guarded: Guarded, open_page: OpenPage
) -> None:
    _, tokens = guarded
    page = (await _open(open_page, guarded)).page
    await _question(page).get_by_role("button", name="Not now").click()
    trouble = page.locator("header").get_by_role("alert")
    await expect(trouble).to_contain_text("asks for a token")
    await expect(_question(page)).to_have_count(0)
    await page.get_by_role("button", name="Show a token …").click()
    await _give(page, tokens["reader"])
    await expect(_state(page)).to_have_text("running")
    await expect(trouble).to_be_hidden()
    await expect(_log(page).get_by_role("status")).to_have_text("Live")


async def test_a_button_that_the_token_does_not_allow_says_so(
    guarded: Guarded, open_page: OpenPage
) -> None:
    _, tokens = guarded
    page = (await _open(open_page, guarded)).page
    await _give(page, tokens["reader"])
    reload = page.get_by_role("button", name="Reload plans")
    await reload.click()
    why = "This needs a token with the scope admin; this one has the scope read."
    await expect(page.get_by_role("alert").filter(has_text=why)).to_be_visible()
    await expect(reload).to_have_attribute("title", why)


async def test_with_a_narrowed_token_it_shows_what_there_is(
    guarded: Guarded, open_page: OpenPage
) -> None:
    server, tokens = guarded
    for plan, task in (("hello", "greet"), ("shop", "say")):
        inputs = {"name": "Ada"} if plan == "hello" else {}
        body = {"plan_name": plan, "task_name": task, "inputs": inputs}
        done = await server.post("/api/tasks/run", body, headers=bearer(tokens["admin"]))
        await server.get(
            f"/api/runs/{done.json['cid']}?wait_sec=20", headers=bearer(tokens["admin"])
        )
    page = (await _open(open_page, guarded)).page
    await _give(page, tokens["narrowed"])
    await expect(_state(page)).to_have_text("limited view")
    runs = page.get_by_role("region", name="Latest runs", exact=True)
    await expect(runs).to_contain_text("shop/say")
    await expect(runs).not_to_contain_text("hello/greet")
    await expect(runs.get_by_role("button", name="failed")).to_be_visible()
    await expect(_log(page).get_by_role("log")).to_contain_text("a word from the shop")
    await expect(_log(page).get_by_role("log")).not_to_contain_text("Hello, Ada!")
    plans = page.get_by_role("region", name="Plans", exact=True)
    await expect(plans).to_contain_text("shop")
    await expect(plans).not_to_contain_text("CSV report")
    await expect(page.locator("header").get_by_role("alert")).to_be_hidden()


async def test_a_revoked_token_is_asked_for_anew(guarded: Guarded, open_page: OpenPage) -> None:
    server, tokens = guarded
    page = (await _open(open_page, guarded)).page
    await _give(page, tokens["reader"])
    await expect(_log(page).get_by_role("status")).to_have_text("Live")
    admin = bearer(tokens["admin"])
    listed = (await server.get("/api/auth/tokens", headers=admin)).json["items"]
    (token_id,) = (each["id"] for each in listed if each["scope"] == "read" and "plans" not in each)
    await server.request("DELETE", f"/api/auth/tokens/{token_id}", headers=admin)
    await expect(_question(page)).to_contain_text("The token was revoked.")
    await _give(page, tokens["admin"])
    await expect(_log(page).get_by_role("status")).to_have_text("Live")
