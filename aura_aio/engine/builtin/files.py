"""Built-in actions on files, below the plan's data folder only: `file.read`, `file.write`.

May import `engine.context` only.
"""

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

from aura_aio.engine.context import ActionContext

MAX_BYTES: Final = 16 * 1024 * 1024


def read(
    context: ActionContext, path: str, encoding: str = "utf-8", max_bytes: int = MAX_BYTES
) -> str:
    """The text of a file. `path` is relative to the plan's data folder.

    Raises:
        ValueError: the path leaves the folder, or the file is longer than `max_bytes`.
    """
    place = _place(context, path)
    with place.open("rb") as stream:
        content = stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError(f"The file {path!r} is longer than {max_bytes:,} bytes.")
    return content.decode(encoding)


def write(
    context: ActionContext,
    path: str,
    content: str,
    encoding: str = "utf-8",
    append: bool = False,
) -> dict[str, Any]:
    """Write a text into a file, or behind what it holds; folders are made. `path` is relative to
    the plan's data folder. Gives the path and how many bytes were written.

    Raises:
        ValueError: the path leaves the folder.
    """
    place = _place(context, path)
    place.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode(encoding)
    with place.open("ab" if append else "wb") as stream:
        stream.write(data)
    return {"path": path, "bytes": len(data)}


def _place(context: ActionContext, path: str) -> Path:
    """Where `path` is, with all links followed."""
    folder = context.data_dir.resolve()
    windows = PureWindowsPath(path)
    if PurePosixPath(path).is_absolute() or windows.drive or windows.root:
        raise ValueError(f"{path!r} is no path below the plan's data folder: it is absolute.")
    if ".." in windows.parts or "\0" in path or not windows.parts:
        raise ValueError(f"{path!r} is no path of a file below the plan's data folder.")
    place = (folder / path).resolve()
    if not place.is_relative_to(folder):
        raise ValueError(f"{path!r} is a link that leaves the plan's data folder.")
    return place


ACTIONS: Final = {"file.read": read, "file.write": write}
