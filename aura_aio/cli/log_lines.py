"""How a log entry looks in a terminal: time, level, who, message, data.

May import `cli` and the standard library.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from aura_aio.cli.screen import Output, Piece, brief_value
from aura_aio.cli.text import log_time, safe_lines

_LEVELS: Final[Mapping[str, str]] = {
    "debug": "dim",
    "info": "",
    "warning": "yellow",
    "error": "red",
    "critical": "bold red",
}
_SHORT: Final = {"warning": "WARN", "critical": "CRIT"}
_BLOCK: Final = "traceback"


def print_entry(output: Output, entry: Mapping[str, Any], who: str, today: datetime | None) -> None:
    """Print a `LogEntry` of the contract; `who` stands in front of the message.

    The lines of a message of several are indented below the first one.
    """
    then = datetime.fromisoformat(entry["timestamp"]).astimezone()
    data = dict(entry.get("data") or {})
    if "cid" not in entry and "worker" in entry:  # the server speaks of a worker
        data["worker"] = entry["worker"]
    head = (log_time(then, today), entry["level"], who)
    print_line(output, head, entry["message"], data)


def tells_of_loss(output: Output) -> Callable[[str], None]:
    """What a log stream that goes on by itself calls with why its connection was lost."""

    def lost(why: str) -> None:
        output.line((f"{why}; trying again until the server answers", "yellow"))

    return lost


def print_line(
    output: Output, head: tuple[str, str, str], message: str, data: Mapping[str, Any]
) -> None:
    """Print a line of a log; `head` is the time, the level and who speaks."""
    time, level, who = head
    style = _LEVELS.get(level, "")
    name = _SHORT.get(level, level.upper())
    first, *rest = safe_lines(message)
    pieces: list[Piece] = [(time, "dim"), " ", (f"{name:<5}", style), " "]
    if who:
        pieces += [(who, "cyan"), "  "]
    pieces.append((first, style))
    for key, value in data.items():
        if key == _BLOCK and isinstance(value, str):
            rest += safe_lines(value)
        # The server's own records name themselves: "run claimed" is `run_claimed` in `action`.
        elif key != "action" or value != message.replace(" ", "_"):
            pieces.append((f"  {key}={_brief(value)}", "dim"))
    output.line(*pieces, hang=4)
    for line in rest:
        output.line("    ", (line, style), hang=4)


def _brief(value: Any) -> str:
    if isinstance(value, str) and value and not set(value) & set(" =\"'"):
        return value
    return brief_value(value)
