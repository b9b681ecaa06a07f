"""Spans that nobody takes, and none at all: runs go on as if there were no such thing.

Imports pytest, `tests.collector`, `tests.serving` and aura_aio.
"""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from aura_aio.model.clock import SystemClock
from aura_aio.model.errors import SettingsError
from aura_aio.settings import TraceSettings
from aura_aio.tracing import tracing
from tests.collector import collecting
from tests.serving import serving


@pytest.mark.parametrize("is_there", [True, False], ids=["silent", "away"])
async def test_a_collector_that_takes_nothing_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3600")
    async with collecting() as collector:
        collector.open.clear()
        url = collector.url if is_there else "http://127.0.0.1:1"
        server = serving(data_dir=str(tmp_path / "data"), otel_endpoint=url)
        served = await server.__aenter__()
        try:
            for _ in range(10):  # more than the queue has room for
                run = await served.done("hello", "greet")
                assert run["status"] == "succeeded"
        finally:
            async with asyncio.timeout(20):  # it waits for an hour if it waits for the collector
                await server.__aexit__(None, None, None)
        asked, came = collector.asked, list(collector.spans)
        collector.open.set()
    assert (asked, came) == (is_there, [])


@pytest.mark.parametrize(
    "address", ["127.0.0.1:4318", "ftp://a.example", "http://", "http://[::1", "http://a:99999"]
)
async def test_an_endpoint_must_be_an_address(tmp_path: Path, address: str) -> None:
    with pytest.raises(SettingsError, match="otel_endpoint"):
        async with serving(data_dir=str(tmp_path), otel_endpoint=address):
            pass


async def test_the_variable_of_opentelemetry_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    async with tracing(TraceSettings("http://127.0.0.1:1"), "1", SystemClock()) as spans:
        assert spans is None


OFF = """
import asyncio, sys
from tests.serving import serving

async def main():
    async with serving(data_dir=sys.argv[1], workers=0) as served:
        assert (await served.done("hello", "greet"))["status"] == "succeeded"
    assert not [name for name in sys.modules if name.startswith("opentelemetry")]

asyncio.run(main())
"""
NOT_INSTALLED = """
import sys
sys.modules["opentelemetry"] = None
from aura_aio.cli import main
main()
"""


async def test_nothing_of_it_is_imported_while_it_is_off(tmp_path: Path) -> None:
    ended = await _python(OFF, str(tmp_path))
    assert ended.returncode == 0, ended.stderr


async def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    options = ["--data-dir", str(tmp_path), "--port", "0", "--otel-endpoint", "http://a.example"]
    ended = await _python(NOT_INSTALLED, "serve", *options)
    assert ended.returncode == 1
    assert "pip install 'aura-aio[otel]'" in ended.stderr
    assert "Traceback" not in ended.stderr


async def _python(code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", code, *arguments]
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=60, check=False
    )
