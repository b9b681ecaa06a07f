"""The signals that end the server.

May import the standard library only.
"""

import asyncio
import os
import signal
import sys


def set_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` at the first SIGTERM or SIGINT; a second one ends the process at once."""
    loop = asyncio.get_running_loop()

    def first_or_second() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(first_or_second))
        else:
            loop.add_signal_handler(number, first_or_second)
