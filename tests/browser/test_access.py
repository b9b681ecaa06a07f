"""The dashboard of a server that asks for tokens: it asks a person, and shows what it was given.

Imports playwright, pytest and the tests' fixtures.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import OpenPage, Visit
from tests.browser.shop import TASKS, heading, live, log_lines, state
from tests.serving import EXAMPLES, Served, serving, write_plan
from tests.tokens import a_token, bearer, put_tokens

pytestmark = pytest.mark.asyncio(loop_scope="module")

Guarded = tuple[Served, dict[str, str]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Guarded]:
    """A server with two plans, and tokens for all that may be done."""
    root = tmp_path_factory.mktemp("guarded")
    tokens = await put_tokens(
        root / "data",
        admin=a_token("admin"),
        reader=a_token("read"),
        revoked=a_token("read", name="to be revoked"),
        narrowed=a_token("read", "shop"),
    )
    write_plan(root / "plans", "shop", TASKS)
    plans = [str(EXAMPLES), str(root / "plans")]
    async with serving(data_dir=str(root / "data"), plans=plans) as server:
        yield server, tokens


async def _open(open_page: OpenPage, guarded: Guarded, path: str = "/") -> Visit:
    visit = await open_page(guarded[0].url, path)
    visit.forgiven += ["status of 401", "status of 403"]
    return visit


def _question(page: Page) -> Locator:
    return page.get_by_role("dialog", name="The server asks for a token")


async def _give(page: Page, secret: str) -> None:
    await _question(page).get_by_label("Token").fill(secret)
    await _question(page).get_by_role("button", name="Use it").click()


async def _ran(guarded: Guarded, plan: str, task: str, **inputs: str) -> str:
    server, tokens = guarded
    headers = bearer(tokens["admin"])
    body = {"plan_name": plan, "task_name": task, "inputs": inputs}
    cid: str = (await server.post("/api/tasks/run", body, headers=headers)).json["cid"]
    await server.get(f"/api/runs/{cid}?wait_sec=20", headers=headers)
    return cid


async def test_it_asks_for_a_token_and_works_with_it(guarded: Guarded, open_page: OpenPage) -> None:
    _, tokens = guarded
    visit = await _open(open_page, guarded, "/#/logs")
    page = visit.page
    await expect(_question(page)).to_contain_text("aura token create")
    await expect(_question(page)).not_to_contain_text("Authorization")
    await _question(page).get_by_role("button", name="Not now").click()
    trouble = page.get_by_role("alert").filter(has_text="asks for a token")
    await expect(trouble).to_be_visible()
    await expect(_question(page)).to_have_count(0)
    await page.get_by_role("button", name="Show a token …").click()
    await _give(page, "nonsense")
    await expect(_question(page)).to_contain_text("The token is none of this server's.")
    await _give(page, tokens["admin"])
    await expect(_question(page)).to_have_count(0)
    await expect(state(page)).to_have_text("running")
    await expect(trouble).to_be_hidden()
    await expect(live(page)).to_have_text("Live")
    await _ran(guarded, "shop", "noise", word="Ada")
    await expect(log_lines(page)).to_contain_text("Ada said")
    assert not any(tokens["admin"] in address for address in visit.addresses)
    assert any("/ws/logs?ticket=" in address for address in visit.addresses)

    await page.reload()
    await expect(live(page)).to_have_text("Live")
    await expect(_question(page)).to_have_count(0)
    await page.get_by_role("button", name="Forget token").click()
    await expect(_question(page)).to_be_visible()


async def test_what_a_token_to_read_may_not_do_is_off_and_says_why(
    guarded: Guarded, open_page: OpenPage
) -> None:
    server, tokens = guarded
    cid = await _ran(guarded, "shop", "broken")
    page = (await _open(open_page, guarded)).page
    await _give(page, tokens["reader"])
    off = {
        "/#/": ["Pause queue", "Stop …"],
        "/#/plans": ["Reload plans"],
        "/#/plans/shop/noise": ["Start"],
        f"/#/runs/{cid}": ["Retry", "Retry from failed"],
        "/#/schedules": ["Enable: site_check/this_server", "Run now: site_check/this_server"],
    }
    why = "yours has “read”"
    for path, names in off.items():
        await page.goto(server.url + path)
        for name in names:
            button = page.get_by_role("button", name=name, exact=True)
            await expect(button).to_have_attribute("aria-disabled", "true")
            assert why in (await button.get_attribute("title") or ""), name
    await page.get_by_role("button", name="Run now: site_check/this_server").click(force=True)
    await expect(page.get_by_role("alert").filter(has_text=why)).to_be_visible()
    runs = await server.get("/api/runs?plan_name=site_check", headers=bearer(tokens["admin"]))
    assert runs.json["items"] == []


async def test_with_a_narrowed_token_it_shows_what_there_is(
    guarded: Guarded, open_page: OpenPage
) -> None:
    server, tokens = guarded
    await _ran(guarded, "hello", "greet", name="Ada")
    await _ran(guarded, "shop", "noise", word="Grace")
    page = (await _open(open_page, guarded, "/#/runs")).page
    await _give(page, tokens["narrowed"])
    await expect(state(page)).to_have_text("limited view")
    runs = page.get_by_role("table")
    await expect(runs).to_contain_text("shop/noise")
    await expect(runs).not_to_contain_text("hello/greet")
    await page.goto(f"{server.url}/#/logs")
    await expect(log_lines(page)).to_contain_text("Grace said")
    await expect(log_lines(page)).not_to_contain_text("Hello, Ada!")
    await page.goto(f"{server.url}/#/plans")
    await expect(page.locator("main")).to_contain_text("Order something")
    await expect(page.locator("main")).not_to_contain_text("CSV report")
    await expect(page.locator(".trouble")).to_be_hidden()


async def test_a_revoked_token_is_asked_for_anew(guarded: Guarded, open_page: OpenPage) -> None:
    server, tokens = guarded
    page = (await _open(open_page, guarded)).page
    await _give(page, tokens["revoked"])
    await expect(heading(page)).to_have_text("Overview")
    await expect(state(page)).to_have_text("running")
    admin = bearer(tokens["admin"])
    listed = (await server.get("/api/auth/tokens", headers=admin)).json["items"]
    (token_id,) = (each["id"] for each in listed if each["name"] == "to be revoked")
    await server.request("DELETE", f"/api/auth/tokens/{token_id}", headers=admin)
    await expect(_question(page)).to_contain_text("The token was revoked.")
    await _give(page, tokens["admin"])
    await expect(state(page)).to_have_text("running")
    stop = page.get_by_role("button", name="Stop …")
    await expect(stop).not_to_have_attribute("aria-disabled", "true")
