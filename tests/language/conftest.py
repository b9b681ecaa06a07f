"""A case, and a table to run it at.

Imports pytest, tests/language/reading.py and the harness of the engine's tests.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.harness import PLAN, Bench, QuickClock, bench
from tests.language.reading import catalog_of, read


@pytest.fixture
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The case in the file of this path."""
    return read(request.param)


@pytest.fixture
def table(case: dict[str, Any], tmp_path: Path) -> Iterator[Bench]:
    """Its plan, ready to be run."""
    catalog = catalog_of(case, tmp_path / "plans")
    assert not catalog.plan(PLAN).errors
    settings: dict[str, Any] = {"clock": QuickClock(), "secrets": case.get("secrets")}
    with bench(tmp_path / "data", catalog=catalog, **settings) as table:
        yield table
