"""The examples of the generated clients, against a server that is up.

Imports pytest, `conftest` and `tests.programs`.
"""

import asyncio
import sys

import pytest

from tests.conftest import MakeServer
from tests.programs import run_program
from tests.sdks.conftest import OPENAPI_30, OPENAPI_31, MakeSdk
from tests.serving import Served

pytestmark = pytest.mark.timeout(600)  # the first that is made installs the generators

CLIENTS = [
    ("python", OPENAPI_31),
    ("python", OPENAPI_30),
    ("typescript", OPENAPI_31),
    pytest.param("typescript", OPENAPI_30, marks=pytest.mark.slow),
    pytest.param("java", OPENAPI_31, marks=pytest.mark.slow),
    pytest.param("java", OPENAPI_30, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("language", "version"), CLIENTS)
async def test_the_example_does_what_it_says(
    make_sdk: MakeSdk, server: Served, language: str, version: str
) -> None:
    """It runs tasks, waits for them, reads a log, cancels a run, and pages through all of them."""
    sdk = await asyncio.to_thread(make_sdk, language, version)
    code, told = await run_program(*sdk.example, server.url)
    assert code == 0, told
    assert "greet: succeeded" in told
    assert "info Hello, Ada!" in told
    assert "breakfast: cancelled" in told
    assert "all 4 are among the listed" in told

    runs = (await server.get("/api/runs?include=inputs")).json["items"]
    assert [run["task_name"] for run in runs] == ["breakfast", "greet", "greet", "greet"]
    greeted = [run["inputs"]["name"] for run in runs[1:]]
    assert greeted == ["Barbara", "Grace", "Ada"]
    cancelled = (await server.get(f"/api/runs/{runs[0]['cid']}")).json
    assert cancelled["cancel"]["reason"] == "Only an example"


@pytest.mark.parametrize(
    "language", ["python", "typescript", pytest.param("java", marks=pytest.mark.slow)]
)
async def test_the_example_shows_its_token_and_says_when_it_is_refused(
    make_sdk: MakeSdk, make_server: MakeServer, language: str
) -> None:
    sdk = await asyncio.to_thread(make_sdk, language, OPENAPI_31)
    server = await make_server()
    made = await server.post("/api/auth/tokens", {"name": "example", "scope": "run"})
    code, told = await run_program(*sdk.example, server.url)
    assert code == 1, told
    assert "oken" in told
    assert "Hello" not in told
    code, told = await run_program(*sdk.example, server.url, AURA_TOKEN=made.json["secret"])
    assert code == 0, told
    assert "all 4 are among the listed" in told


@pytest.mark.slow
@pytest.mark.parametrize("version", [OPENAPI_31, OPENAPI_30])
async def test_the_python_client_and_its_example_are_typed(make_sdk: MakeSdk, version: str) -> None:
    """`mypy --strict`, as `tsc --strict` has checked the one in TypeScript when it was made."""
    sdk = await asyncio.to_thread(make_sdk, "python", version)
    config = sdk.folder / "mypy.ini"
    config.write_text("[mypy]\nstrict = true\n[mypy-aura_client.*]\nfollow_imports = silent\n")
    command = [sys.executable, "-m", "mypy", "--python-executable", sdk.example[0]]
    command += ["--config-file", str(config), "--cache-dir", str(sdk.folder / "cache")]
    code, told = await run_program(*command, "example.py", cwd=sdk.folder)
    assert code == 0, told
