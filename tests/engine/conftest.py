"""What tests of the engine share.

Imports pytest, and the harness.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.engine.harness import Bench, MakeBench, bench


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[MakeBench]:
    """Makes a Bench of functions by name; all of them end with the test."""
    with ExitStack() as open_ones:

        def make(*functions: Callable[..., Any], **settings: Any) -> Bench:
            actions = {function.__name__: function for function in functions}
            return open_ones.enter_context(bench(tmp_path, actions, **settings))

        yield make
