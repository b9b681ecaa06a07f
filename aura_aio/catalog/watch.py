"""Tells what changes in folders, as it happens.

May import the standard library and watchfiles only.
"""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from watchfiles import Change

_log = logging.getLogger("aura.catalog.watch")

STEP_MS: Final = 50
"""How long nothing must change for what has changed to be told."""
DEBOUNCE_MS: Final = 250
"""When it is told although changes go on."""
LOOK_MS: Final = 1000
POLL_MS: Final = 300

_Identities = dict[Path, tuple[int, int]]


async def watch_folders(
    folders: Callable[[], Iterable[Path]], stop: asyncio.Event
) -> AsyncGenerator[frozenset[Path] | None, None]:
    """What has changed in these folders, as soon as it has, until `stop` is set; about once a
    second an answer in any case.

    None means that anything may have changed: so it is at the beginning, and when a folder appears,
    goes, or is another one. `folders` is asked anew with each answer. What is hidden (`.name`), and
    `__pycache__`, is left out.
    """
    while not stop.is_set():
        there = await asyncio.to_thread(_identities, folders())
        is_first = True
        async with aclosing(_changes(tuple(there), stop)) as changes:
            async for paths in changes:
                yield None if is_first else paths
                is_first = False
                if await asyncio.to_thread(_identities, folders()) != there:
                    break


def _identities(folders: Iterable[Path]) -> _Identities:
    """The folders that are there, each with what tells it from another one of the same name."""
    found: _Identities = {}
    for folder in folders:
        if os.path.isdir(folder):
            status = os.stat(folder)
            found[folder] = (status.st_dev, status.st_ino)
    return found


async def _changes(
    folders: Sequence[Path], stop: asyncio.Event
) -> AsyncGenerator[frozenset[Path], None]:
    """The changes in `folders`; ends with `stop`, or when they cannot be watched (any more)."""
    while not folders and not stop.is_set():
        await _stopped(stop)
        yield frozenset()
    for polling in (False, True):
        try:
            async with aclosing(_watched(folders, stop, polling=polling)) as changes:
                async for paths in changes:
                    yield paths
        except (OSError, RuntimeError) as error:  # one is gone, or there are too many
            _log.warning(
                "folders cannot be watched",
                extra={"action": "watch_failed", "polling": polling, "reason": str(error)},
            )
        else:
            return
    await _stopped(stop)
    yield frozenset()


async def _watched(
    folders: Sequence[Path], stop: asyncio.Event, *, polling: bool
) -> AsyncGenerator[frozenset[Path], None]:
    is_visible, awatch = await asyncio.to_thread(_tools, folders)
    watcher = awatch(
        *folders,
        watch_filter=is_visible,
        debounce=DEBOUNCE_MS,
        step=STEP_MS,
        stop_event=stop,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
        debug=False,
        force_polling=polling,
        poll_delay_ms=POLL_MS,
        ignore_permission_denied=True,
    )
    async with aclosing(watcher) as changes:
        async for found in changes:
            yield frozenset(Path(path) for _, path in found)


def _tools(folders: Sequence[Path]) -> tuple["_Visible", Callable[..., AsyncGenerator[Any, None]]]:
    """Which changes matter, and what finds them: imported by who watches, not by each start."""
    from watchfiles import awatch  # noqa: PLC0415 - see above

    return _Visible(folders), awatch


async def _stopped(stop: asyncio.Event) -> None:
    """Return when `stop` is set, or it is time to look again."""
    try:
        async with asyncio.timeout(LOOK_MS / 1000):
            await stop.wait()
    except TimeoutError:
        return


class _Visible:
    """Which changes matter."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._roots = tuple({str(root) for each in folders for root in (each, each.resolve())})

    def __call__(self, _: "Change", path: str) -> bool:
        root = max((each for each in self._roots if path.startswith(each)), key=len, default="")
        parts = path[len(root) :].replace(os.sep, "/").split("/")
        return not any(part.startswith(".") or part == "__pycache__" for part in parts)
