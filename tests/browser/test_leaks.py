"""What the pages hold on to: their heap without garbage, their nodes and listeners, while they are
left and come back, and while a recorded log is replayed to them.

Imports playwright, pytest, `tests.browser` and the tests' servers.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import CDPSession, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.shop import TASKS, live, section
from tests.serving import EXAMPLES, Served, serving, write_plan

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINES = 720_000  # what an hour makes at 200 a second
PER_SEC = 5_000  # with 200 it takes an hour of real time
MORE_THAN_IS_KEPT = 30_000
EVERY = 115_000
SHOWS_ALL = """(number) => {
  const shown = [...document.querySelectorAll(".lines .message")];
  return shown.length >= 1_990
    && shown.slice(-100).some((message) => parseInt(message.textContent) >= number);
}"""  # but for notes among them
MOST_ROWS = 12  # of the overview's lists, which are full from the beginning
MUCH = 1.3  # how much the heap and the nodes of a page may differ by what happens to be shown

REPLAY = '''"""Says again what was said before."""

import asyncio
import json
import time
from pathlib import Path

from aura_aio import ActionContext, action


@action
async def replay(
    context: ActionContext, file: str, lines: int, per_sec: int, first: int, every: int
) -> None:
    """Log so many lines, those of `file` again and again, so many a second. After the `first`
    lines, and each `every` from there, go on once a file stands beside it with their number.
    """
    said = [json.loads(text) for text in Path(file).read_text("utf-8").splitlines()]
    begun = time.monotonic()
    for number in range(lines):
        if number % 10 == 0:
            await asyncio.sleep(max(0, number / per_sec - (time.monotonic() - begun)))
        if number >= first and (number - first) % every == 0:
            held = time.monotonic()
            while not Path(f"{file}.{number}").exists():
                await asyncio.sleep(0.05)
            begun += time.monotonic() - held
        each = said[number % len(said)]
        context.log(f"{number} {each['message']}", each["level"], **each.get("data", {}))
'''
REPLAY_TASK = """
meta:
  inputs:
    - {name: file, type: string, required: true}
    - {name: lines, type: integer, required: true}
    - {name: per_sec, type: integer, required: true}
    - {name: first, type: integer, required: true}
    - {name: every, type: integer, required: true}
steps:
  replay:
    action: replay
    params:
      file: "{{ inputs.file }}"
      lines: "{{ inputs.lines }}"
      per_sec: "{{ inputs.per_sec }}"
      first: "{{ inputs.first }}"
      every: "{{ inputs.every }}"
"""
RECORDED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("csv_report", "generate", {"rows": 500, "file_name": "orders.csv"}),
    ("csv_report", "report", {"path": "orders.csv", "charts": 3}),
    ("log_digest", "generate", {"lines": 500, "file_name": "shop.log"}),
    ("log_digest", "digest", {"path": "shop.log"}),
    ("hello", "breakfast", {"seconds": 0.1}),
    ("shop", "broken", {}),
    ("shop", "noise", {"word": "Ada"}),
)


class Footprint(NamedTuple):
    """What a page holds, without garbage."""

    heap_kib: int
    nodes: int
    listeners: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A server with the examples and the plan `shop`, whose `replay` says a recording again."""
    root = tmp_path_factory.mktemp("leaks")
    write_plan(root / "plans", "shop", TASKS | {"replay": REPLAY_TASK}, REPLAY)
    plans = [str(EXAMPLES), str(root / "plans")]
    async with serving(plans=plans, data_dir=str(root / "data")) as server:
        yield server


async def _footprint(session: CDPSession) -> Footprint:
    for _ in range(2):  # what the first sets free may hold something itself
        await session.send("HeapProfiler.collectGarbage")
    heap = await session.send("Runtime.getHeapUsage")
    counted = await session.send("Memory.getDOMCounters")
    return Footprint(int(heap["usedSize"]) // 1024, counted["nodes"], counted["jsEventListeners"])


async def _session(page: Page) -> CDPSession:
    return await page.context.new_cdp_session(page)


async def _lap(page: Page, cid: str) -> None:
    """Go through all pages, each until it shows what the server answers, to an empty one."""
    drawn = {
        "/logs": live(page).get_by_text("Live"),
        "/": section(page, "Workers").get_by_text("worker-1"),
        "/runs": page.get_by_role("table").get_by_text("shop/noise").first,
        "/queue": page.get_by_text("Nothing waits."),
        "/plans": page.get_by_role("link", name="Order something"),
        "/plans/shop": page.get_by_role("link", name="Order something"),
        "/plans/shop/order": page.get_by_role("button", name="Start", exact=True),
        "/schedules": page.get_by_text("site_check/this_server"),
        f"/runs/{cid}": section(page, "Log").locator(".line").first,
        "/nowhere": page.get_by_text("There is no such page"),
    }
    for path, sign in drawn.items():
        await page.evaluate("(path) => { location.hash = path; }", path)
        await expect(sign).to_be_visible()


async def test_a_page_that_is_left_holds_nothing(shop: Served, open_page: OpenPage) -> None:
    cid = (await shop.done("shop", "noise", inputs={"word": "Ada"}))["cid"]
    page = (await open_page(shop.url, "/#/nowhere")).page
    session = await _session(page)
    seen = []
    for _ in range(4):
        await _lap(page, cid)
        seen.append(await _footprint(session))
    first, *_, last = seen
    assert last.listeners <= first.listeners, seen
    assert last.nodes <= first.nodes + 500, seen


async def _recorded(shop: Served, folder: Path) -> str:
    """The path of a file with what runs of the examples have logged."""
    said: list[Any] = []
    for plan, task, inputs in RECORDED:
        said += await shop.log((await shop.done(plan, task, inputs=inputs))["cid"])
    kept = ("message", "level", "data")
    lines = [json.dumps({name: each[name] for name in kept if name in each}) for each in said]
    file = folder / "recording.ndjson"
    await asyncio.to_thread(file.write_text, "\n".join(lines), "utf-8")
    return str(file)


@pytest.mark.slow
@pytest.mark.timeout(3 * LINES / PER_SEC + 600)
async def test_an_hour_of_a_replayed_log_leaves_nothing_behind(
    shop: Served, open_page: OpenPage, tmp_path: Path
) -> None:
    file = await _recorded(shop, tmp_path)
    for _ in range(MOST_ROWS):
        await shop.done("shop", "broken")
    stops = {"first": MORE_THAN_IS_KEPT, "every": EVERY}
    inputs = {"file": file, "lines": LINES, "per_sec": PER_SEC, **stops}
    cid = await shop.run("shop", "replay", inputs=inputs)
    pages = [(await open_page(shop.url, path)).page for path in ("/#/logs", f"/#/runs/{cid}", "/")]
    sessions = [await _session(page) for page in pages]
    seen = []
    for number in range(MORE_THAN_IS_KEPT, LINES, EVERY):
        for page in pages[:2]:
            await page.wait_for_function(
                SHOWS_ALL, arg=number - 1, timeout=1_000 * (LINES / PER_SEC + 300)
            )
        await shop.run("shop", "broken")
        seen.append([await _footprint(session) for session in sessions])
        await asyncio.to_thread(Path(f"{file}.{number}").touch)
    first, last = seen[0], seen[-1]
    for before, after in zip(first, last, strict=True):
        assert after.listeners <= before.listeners, seen
        assert after.nodes < before.nodes * MUCH, seen
        assert after.heap_kib < before.heap_kib * MUCH, seen
