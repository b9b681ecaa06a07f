"""The start of a server, in which nothing is thrown away.

May import the standard library only.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[Callable[[], None]]:
    """Until what this gives is called, or the context is left, Python looks for no garbage.

    All that modules make stays, and to go through it again and again, as it grows, is a third of
    the start. What was loaded is not gone through later either, at the cost of everybody who waits
    for an answer then.
    """

    def done() -> None:
        gc.freeze()
        gc.enable()

    gc.disable()
    try:
        yield done
    finally:
        gc.enable()
