"""The action that makes up an access log to try the digest on."""

from typing import Any

from aura_aio import ActionContext, action

from ._files import new_file
from ._lines import new_log
from ._traffic import LogFormat, log_lines


@action
def generate_log(
    lines: int,
    seed: int,
    log_format: LogFormat,
    days: int,
    bad_percent: float,
    file_name: str,
    context: ActionContext,
) -> dict[str, Any]:
    """Writes `lines` made-up requests of `days` days into the plan's data folder.

    The same seed gives the same file. It is compressed if `file_name` ends with .gz. Returns the
    file's name, which the task `digest` takes as its `path`.
    """
    path = new_file(file_name or f"access-{seed}.log", context.data_dir)
    written = log_lines(lines, seed, log_format, days, bad_percent / 100)
    with new_log(path) as file:
        for number, line in enumerate(written, 1):
            file.write(line.encode() + b"\n")
            if number % 10_000 == 0:
                if context.cancelled:
                    raise InterruptedError(f"Stopped after {number:,} lines: the run was cancelled")
                context.progress(number / lines, f"{number:,} lines")
    size = path.stat().st_size
    context.log(f"Wrote {lines:,} lines to {path.name}", lines=lines, size_bytes=size)
    return {"path": path.name, "lines": lines, "size_bytes": size}
