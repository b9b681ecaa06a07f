"""Fixtures that every test gets.

Imports pytest, blockbuster and the public surface of aura_aio.
"""

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """Fail the test when code of aura_aio makes a blocking call on an event loop."""
    with blockbuster_ctx("aura_aio") as detector:
        yield detector
