"""The start of a server: nothing is looked through for garbage until it is over.

Imports aura_aio.cli.loading and the standard library.
"""

import gc
from collections.abc import Iterator

import pytest

from aura_aio.cli.loading import loading


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_garbage_is_looked_for_again_once_all_is_loaded() -> None:
    gc.unfreeze()
    with loading() as done:
        assert not gc.isenabled()
        done()
        assert gc.isenabled()
        assert gc.get_freeze_count()  # what was loaded is not looked through any more
    assert gc.isenabled()


def test_garbage_is_looked_for_again_after_a_start_that_failed() -> None:
    with pytest.raises(LookupError), loading():
        raise LookupError
    assert gc.isenabled()
