"""The event loop that a process runs on.

May import the standard library and uvloop only.
"""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """What `main` answers, run on the fastest event loop there is."""
    if sys.platform == "win32":
        return asyncio.run(main)
    import uvloop  # noqa: PLC0415 - not on Windows

    return uvloop.run(main)
