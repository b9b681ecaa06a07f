"""Frees a worker's event loop from an action that holds it.

May import the standard library only.
"""

import asyncio
import ctypes
import threading


class LoopHeldError(Exception):
    """Raised inside the code that holds the loop (async actions must await, or be plain `def`)."""

    def __str__(self) -> str:
        """What the author of the action should do."""
        return (
            "The action held the worker's event loop for too long: await while it waits, make it "
            "a plain `def` (it then runs in a thread), or give it `isolation: process`."
        )


class Watchdog:
    """A thread that asks the loop of the thread that made it for a sign of life.

    When none comes for `stall_sec`, `LoopHeldError` is raised in the loop's thread, between two
    instructions of whatever Python code runs there: the action fails, the other runs go on. Code
    that never comes back to Python is not reached; the server then ends the whole worker.
    """

    def __init__(self, *, stall_sec: float) -> None:
        self._stall_sec = stall_sec
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            alive = threading.Event()
            try:
                self._loop.call_soon_threadsafe(alive.set)
            except RuntimeError:  # the loop is closed: there is nothing left to watch
                return
            if not alive.wait(self._stall_sec) and not self._stopped.is_set():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self._loop_thread), ctypes.py_object(LoopHeldError)
                )
            self._stopped.wait(self._stall_sec / 4)
