"""The action that makes up a CSV file to try the report on."""

from typing import Any

from aura_aio import ActionContext, action

from ._files import new_file
from ._mess import Mess, file_pieces, style_of


@action
def generate_orders(
    rows: int, seed: int, mess: Mess, file_name: str, context: ActionContext
) -> dict[str, Any]:
    """Writes `rows` made-up orders into the plan's data folder; the same seed gives the same file.

    `mess` says how badly the file is written. Without `file_name` it is called by mess and seed.
    Returns the file's name, which the task `report` takes as its `path`, and how it was written.
    """
    path = new_file(file_name or f"orders-{mess}-{seed}.csv", context.data_dir)
    with path.open("wb") as file:
        for number, piece in enumerate(file_pieces(rows, seed, mess), 1):
            file.write(piece)
            if number % 10_000 == 0:
                if context.cancelled:
                    raise InterruptedError(f"Stopped after {number:,} rows: the run was cancelled")
                context.progress(number / rows, f"{number:,} rows")
    style = style_of(seed, mess)
    size = path.stat().st_size
    context.log(f"Wrote {rows:,} orders to {path.name}", rows=rows, size_bytes=size)
    return {
        "path": path.name,
        "rows": rows,
        "size_bytes": size,
        "encoding": style.encoding,
        "delimiter": style.delimiter,
    }
