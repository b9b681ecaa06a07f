"""The first paint of the dashboard, and its frames while thousands of log lines come a second.

    python scripts/page_speed.py [paint] [log] [--lines-per-sec 5000] [--seconds 20] [--loads 21]

Each is told beside what the machine needs for nearly nothing at the same moment: the paint of a
page that is one word from the same server, by turns; the frames of the same page that shows
only what is critical, which is nothing. So a busy machine can be told from a slow page.

Imports aiohttp, playwright, `chromium` and the public surface of aura_aio.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
from chromium import NO_CHROMIUM, chromium
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from aura_aio.server import running_server
from aura_aio.settings_table import load_settings

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
WORD = "/healthz"
LONG_TASK_MS = 50  # what browsers call one
WARM_SEC = 3

ACTIONS = '''"""Logs much."""

import asyncio
import time

from aura_aio import ActionContext, action

TEXT = ("orders.csv: 1,000 rows, 979 of them valid", "GET /shop/cart 200 in 12 ms, 3 items")


@action
async def talk(context: ActionContext, per_sec: int, seconds: int) -> None:
    """Log so many lines a second."""
    begun = time.monotonic()
    for number in range(per_sec * seconds):
        if number % 10 == 0:
            await asyncio.sleep(max(0, number / per_sec - (time.monotonic() - begun)))
        context.log(f"{number} {TEXT[number % len(TEXT)]}", "info" if number % 50 else "warning")
'''
TASK = """
meta:
  inputs:
    - {name: per_sec, type: integer, required: true}
    - {name: seconds, type: integer, required: true}
steps:
  talk: {action: talk, params: {per_sec: "{{ inputs.per_sec }}", seconds: "{{ inputs.seconds }}"}}
"""

FIRST_PAINT = """() => new Promise((done) => {
  new PerformanceObserver((list) => done(list.getEntries()[0].startTime))
    .observe({type: "paint", buffered: true});
})"""
SENT = """() => [...performance.getEntriesByType("navigation"),
  ...performance.getEntriesByType("resource")].reduce((sum, each) => sum + each.transferSize, 0)"""
WATCH = """() => {
  window.seen = {frames: [], long: []};
  new PerformanceObserver((list) => {
    window.seen.long.push(...list.getEntries().map((each) => each.duration));
  }).observe({type: "longtask"});
  const next = (now) => { window.seen.frames.push(now); requestAnimationFrame(next); };
  requestAnimationFrame(next);
}"""
NEWEST = """() => {
  const shown = document.querySelectorAll(".lines .message");
  return shown.length ? parseInt(shown[shown.length - 1].textContent) : 0;
}"""


@asynccontextmanager
async def _server(folder: Path) -> AsyncIterator[str]:
    plan = folder / "plans" / "talk"
    (plan / "tasks").mkdir(parents=True)
    (plan / "tasks" / "talk.yaml").write_text(TASK, "utf-8")
    (plan / "actions.py").write_text(ACTIONS, "utf-8")
    flags = {"port": 0, "workers": 1, "plans": [str(folder / "plans")], "data_dir": str(folder)}
    settings = load_settings({**flags, "shutdown_grace_sec": 0}, {})
    async with running_server(settings, secrets={}) as server:
        yield server.url


async def _first_paint(browser: Browser, address: str) -> tuple[float, int]:
    """Milliseconds, of a browser that keeps nothing yet, and the bytes until the network rests."""
    context = await browser.new_context(viewport=DESKTOP)
    try:
        page = await context.new_page()
        await page.goto(address)
        painted: float = await page.evaluate(FIRST_PAINT)
        await page.wait_for_load_state("networkidle")
        return painted, await page.evaluate(SENT)
    finally:
        await context.close()


async def _paints(browser: Browser, url: str, loads: int) -> None:
    times: dict[str, list[float]] = {"/": [], WORD: []}
    sent = 0
    for _ in range(loads):
        for path, seen in times.items():
            painted, size = await _first_paint(browser, url + path)
            seen.append(painted)
            sent = max(sent, size)
    for path, seen in times.items():
        _say(f"first paint of {path}", median_ms=statistics.median(seen), best_ms=min(seen))
    _say("sent in all", bytes=sent)


async def _frames(page: Page, seconds: int) -> dict[str, float]:
    await page.evaluate("() => { window.seen.frames = []; window.seen.long = []; }")
    await page.wait_for_timeout(seconds * 1000)
    seen: dict[str, list[float]] = await page.evaluate("window.seen")
    frames, long = seen["frames"], seen["long"]
    gaps = [after - before for before, after in pairwise(frames)]
    return {
        "frames_per_sec": len(gaps) / (frames[-1] - frames[0]) * 1000,
        "p99_frame_ms": sorted(gaps)[int(len(gaps) * 0.99)],
        "longest_frame_ms": max(gaps),
        "long_tasks": len(long),
        "longest_task_ms": max(long, default=0),
    }


async def _log(browser: Browser, url: str, per_sec: int, seconds: int) -> None:
    pages = []
    for query in ("", "?level=critical"):
        page = await (await browser.new_context(viewport=DESKTOP)).new_page()
        await page.goto(f"{url}/#/logs{query}")
        await page.evaluate(WATCH)
        pages.append(page)
    inputs = {"per_sec": per_sec, "seconds": 2 * WARM_SEC + seconds}
    body: dict[str, Any] = {"plan_name": "talk", "task_name": "talk", "inputs": inputs}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{url}/api/tasks/run", json=body) as response:
            response.raise_for_status()
        await pages[0].wait_for_timeout(WARM_SEC * 1000)
        before = await pages[0].evaluate(NEWEST)
        busy, idle = await asyncio.gather(*(_frames(page, seconds) for page in pages))
        came = (await pages[0].evaluate(NEWEST) - before) / seconds
    _say("the log", lines_per_sec=came, **busy)
    _say("the same page without lines", **idle)


def _say(what: str, **figures: float) -> None:
    print(f"{what:<30}", *(f"{name} {value:,.1f}" for name, value in figures.items()), sep="  ")


async def _measure(program: str, options: argparse.Namespace) -> None:
    print(f"load average at the beginning: {os.getloadavg()[0]:.2f}")
    with tempfile.TemporaryDirectory() as folder:
        async with _server(Path(folder)) as url, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=program)
            if "paint" in options.what:
                await _paints(browser, url, options.loads)
            if "log" in options.what:
                await _log(browser, url, options.lines_per_sec, options.seconds)
            await browser.close()
    print(f"load average at the end: {os.getloadavg()[0]:.2f}")


def main(arguments: Sequence[str]) -> None:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(prog="page_speed.py", description=__doc__)
    parser.add_argument("what", nargs="*", default=["paint", "log"])
    parser.add_argument("--lines-per-sec", type=int, default=5_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--loads", type=int, default=21)
    program = chromium()
    if program is None:
        sys.exit(NO_CHROMIUM)
    asyncio.run(_measure(program, parser.parse_args(arguments)))


if __name__ == "__main__":
    main(sys.argv[1:])
