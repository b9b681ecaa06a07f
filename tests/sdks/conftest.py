"""Clients as `scripts/generate_sdks.py` makes them, each once for all tests that want it.

Imports pytest, the contract and `tests.waiting`.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from aura_aio.contract.document import load_contract
from tests.waiting import until_sync

REPOSITORY = Path(__file__).resolve().parents[2]

OPENAPI_31 = "3.1"
OPENAPI_30 = "3.0"
WITHIN_SEC = 500
"""The first that is made installs the generators."""


class Sdk(NamedTuple):
    """A client: its folder, and what starts its example (the address of a server follows)."""

    folder: Path
    example: Sequence[str]


MakeSdk = Callable[[str, str], Sdk]


@pytest.fixture(scope="session")
def make_sdk(tmp_path_factory: pytest.TempPathFactory) -> MakeSdk:
    """The client of a language, from the contract or from its downgrade. Where something is missing
    that the repository does not bring along, the test skips, and says what.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # which the processes of one test run have in common

    def make(language: str, version: str) -> Sdk:
        into = shared / f"sdk-{language}-{version}"
        end = shared / f"{into.name}.end"
        try:
            into.mkdir()
        except FileExistsError:  # made already, or being made, perhaps in another process
            until_sync(end.exists, within=WITHIN_SEC)
        else:
            try:
                told = _made(language, version, into)
            except BaseException as error:
                told = f"FAILED: {error}"
                raise
            finally:
                part = shared / f"{into.name}.part"
                part.write_text(told, "utf-8")
                part.rename(end)  # all of it, or not there
        return _sdk(end.read_text("utf-8"), into / language)

    return make


def _sdk(told: str, folder: Path) -> Sdk:
    if told.startswith("SKIPPED"):
        pytest.skip(told)
    assert not told.startswith("FAILED"), told
    return Sdk(folder, shlex.split(told))


def _made(language: str, version: str, into: Path) -> str:
    """What starts its example; or why it is SKIPPED, or has FAILED."""
    document = REPOSITORY / "openapi.yaml"
    if version == OPENAPI_30:
        document = into / "openapi-3.0.json"
        document.write_bytes(load_contract().as_openapi30())
    command = [sys.executable, str(REPOSITORY / "scripts" / "generate_sdks.py"), language]
    done = subprocess.run(
        [*command, "--document", str(document), "--into", str(into)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    if "The packages could not be installed" in done.stderr:
        return f"SKIPPED: no generators: {done.stderr.strip().splitlines()[0]}"
    if done.returncode != 0:
        return f"FAILED: {done.stdout[-5000:]} {done.stderr[-5000:]}"
    told = done.stdout.strip().splitlines()[-1]
    _, _, rest = told.partition(f"{language}: ")
    return rest.removeprefix("to try it: ").removesuffix(" http://127.0.0.1:18098")
