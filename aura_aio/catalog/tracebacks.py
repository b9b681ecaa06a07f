"""Tracebacks for the authors of plans: their frames and those of libraries, not Aura's.

May import the standard library only.
"""

import traceback
from pathlib import Path
from typing import Final

MAX_CHARACTERS: Final = 16_384
_MAX_FRAMES: Final = 100
_OURS: Final = str(Path(__file__).resolve().parents[1])
_CALLERS: Final = tuple(
    str(Path(traceback.__file__).resolve().parent / part)
    for part in ("asyncio", "concurrent", "importlib", "threading")
)
"""The parts of the standard library that stand between Aura and what it calls."""


def plan_traceback(error: BaseException) -> str | None:
    """The traceback of `error` with its causes; None if no frame of a plan is in it.

    Reads source files, so call it in a thread. At the most `MAX_CHARACTERS` long.
    """
    whole = traceback.TracebackException.from_exception(error, limit=-_MAX_FRAMES, compact=True)
    kept = _strip(whole, seen=set())
    if not kept and not isinstance(error, SyntaxError):
        return None
    text = "".join(whole.format())
    if len(text) <= MAX_CHARACTERS:
        return text
    quarter = MAX_CHARACTERS // 4
    return f"{text[:quarter]}\n…\n{text[-3 * quarter + 3 :]}"


def _strip(part: traceback.TracebackException, seen: set[int]) -> int:
    """Take the frames that are not a plan's out of `part` and its causes; answers how many
    are left.
    """
    seen.add(id(part))
    frames = [frame for frame in part.stack if not frame.filename.startswith((_OURS, "<frozen "))]
    while frames and frames[0].filename.startswith(_CALLERS):
        del frames[0]
    part.stack = traceback.StackSummary.from_list(frames)
    causes = (part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or ()))
    return len(frames) + sum(
        _strip(cause, seen) for cause in causes if cause is not None and id(cause) not in seen
    )
