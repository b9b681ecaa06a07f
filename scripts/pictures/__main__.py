"""A server with the example plans, something to see on each page, and a picture of each.

    python scripts/screenshots.py [FOLDER]

All pictures go to FOLDER (by default `build/screenshots`): each page, light and dark, on a desktop
and on a phone. Those that the documentation shows go to `docs/images`.

Imports aiohttp, playwright, `chromium` and the public surface of aura_aio.
"""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
from chromium import NO_CHROMIUM, chromium
from playwright.async_api import Browser, ViewportSize, async_playwright

from aura_aio.server import running_server
from aura_aio.settings_table import load_settings

REPOSITORY = Path(__file__).resolve().parents[2]
SIZES: dict[str, ViewportSize] = {
    "desktop": {"width": 1200, "height": 760},
    "phone": {"width": 390, "height": 760},
}
SHOWN = (
    *("overview-desktop-light", "run-desktop-light", "task-desktop-light"),
    *("queue-desktop-dark", "run-phone-dark"),
)
"""In the README and the guides."""
WATCHED_MS = 6_000  # so that the charts have something to draw
SETTLED_MS = 1_200
SITES = {"urls": ["http://127.0.0.1:9/", "http://127.0.0.1:9/health"], "retries": 0}


class Visitor:
    """Starts what there is to see."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def post(self, path: str, body: Any = None) -> Any:
        """The answer's value."""
        async with self._session.post(self._url + path, json=body or {}) as response:
            return await response.json()

    async def run(self, plan: str, task: str, *, wait: bool = True, **rest: Any) -> str:
        """The cid of a run, which has finished unless nobody is to `wait`."""
        body = {"plan_name": plan, "task_name": task, **rest}
        cid: str = (await self.post("/api/tasks/run", body))["cid"]
        while wait:
            async with self._session.get(f"{self._url}/api/runs/{cid}?wait_sec=50") as response:
                wait = "finished_at" not in await response.json()
        return cid


async def _fill(visitor: Visitor) -> dict[str, str]:
    """Have something on each page; the cids of the runs that have a picture of their own."""
    labels = {"team": "research"}
    for seconds in (0.1, 0.3, 0.2, 0.6, 0.4, 0.2, 0.5):
        await visitor.run("hello", "breakfast", inputs={"seconds": seconds}, labels=labels)
    await visitor.run("csv_report", "generate", inputs={"rows": 2000, "file_name": "orders.csv"})
    await visitor.run("csv_report", "report", inputs={"path": "orders.csv", "charts": 3})
    await visitor.run("csv_report", "report", inputs={"path": "/data/orders.csv"})
    await visitor.run("log_digest", "generate", inputs={"lines": 5000, "file_name": "shop.log"})
    await visitor.run("log_digest", "digest", inputs={"path": "shop.log"})
    failed = await visitor.run("site_check", "check", inputs={**SITES, "fail_on_error": True})
    for name in ("Ada", "Grace", "Zoë"):
        await visitor.run("hello", "greet", inputs={"name": name})
    running = await visitor.run("hello", "breakfast", inputs={"seconds": 55}, wait=False)
    await visitor.post("/api/queue/pause")
    for number in range(14):
        plan, task = (("hello", "greet"), ("hello", "breakfast"))[number % 2]
        priority = 10 if number < 3 else 0
        await visitor.run(plan, task, priority=priority, labels=labels, wait=False)
    await visitor.run("hello", "greet", delay_sec=3600, wait=False)
    return {"failed": failed, "running": running}


async def _take(browser: Browser, url: str, cids: dict[str, str], folder: Path) -> None:
    pages = {
        "overview": "/",
        "runs": "/#/runs",
        "run": f"/#/runs/{cids['failed']}",
        "running": f"/#/runs/{cids['running']}",
        "plans": "/#/plans",
        "task": "/#/plans/hello/breakfast",
        "queue": "/#/queue",
        "schedules": "/#/schedules",
        "logs": "/#/logs",
    }
    for scheme in ("light", "dark"):
        for device, size in SIZES.items():
            context = await browser.new_context(
                viewport=size, color_scheme=scheme, locale="en-US", reduced_motion="reduce"
            )
            page = await context.new_page()
            for name, path in pages.items():
                await page.goto(url + path)
                await page.wait_for_timeout(WATCHED_MS if name == "overview" else SETTLED_MS)
                await page.screenshot(path=folder / f"{name}-{device}-{scheme}.png")
            await context.close()


async def _pictures(program: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as data:
        flags = {"port": 0, "workers": 2, "plans": ["plans"], "data_dir": data}
        settings = load_settings({**flags, "shutdown_grace_sec": 0}, {})
        async with (
            running_server(settings, secrets={}) as server,
            aiohttp.ClientSession() as session,
            async_playwright() as playwright,
        ):
            browser = await playwright.chromium.launch(executable_path=program)
            await _take(browser, server.url, await _fill(Visitor(session, server.url)), folder)
            await browser.close()


def main(folder: Path) -> None:
    """Take all pictures."""
    program = chromium()
    if program is None:
        sys.exit(NO_CHROMIUM)
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_pictures(program, folder))
    for name in SHOWN:
        shutil.copy(folder / f"{name}.png", REPOSITORY / "docs" / "images" / f"{name}.png")
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/screenshots"))
