"""The action of the task `digest`."""

from aura_aio import ActionContext, action

from ._digest import Digest, digest_file
from ._files import find_file
from ._line import TimeUnit


@action
def digest_log(
    path: str, top: int, time_unit: TimeUnit, min_requests: int, context: ActionContext
) -> Digest:
    """Reads the access log `path`, plain or compressed with gzip, once, and tells what is in it.

    Each list has `top` entries. A path is among the slowest only after `min_requests` requests.
    """

    def on_progress(fraction: float) -> None:
        if context.cancelled:
            raise InterruptedError("Stopped while reading: the run was cancelled")
        context.progress(fraction, "reading")

    digest = digest_file(
        find_file(path, context.data_dir), time_unit, top, min_requests, on_progress
    )
    context.log(
        f"{digest['requests']:,} requests, {digest['errors']:,} errors, "
        f"{digest['bad_lines']:,} bad lines"
    )
    if digest["ends_early"]:
        context.log("The log is cut off: this is the digest of what could be read", level="warning")
    if digest["lines"] and not digest["requests"]:
        context.log("No line is in the common or the combined log format", level="warning")
    return digest
