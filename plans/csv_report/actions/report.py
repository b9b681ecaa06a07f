"""The actions of the task `report`, one per step: look, read, draw, write."""

from pathlib import Path
from typing import Literal

from aura_aio import ActionContext, action

from ._dialect import Format, Wishes
from ._dialect import detect_format as detect
from ._files import find_file
from ._profile import Profile, read_profile
from ._report import slug, write_charts, write_report

_QUOTES = {"auto": "auto", "double": '"', "single": "'", "none": ""}


@action
def detect_format(
    path: str,
    encoding: str,
    delimiter: str,
    quote: Literal["auto", "double", "single", "none"],
    header: Literal["auto", "yes", "no"],
    context: ActionContext,
) -> Format:
    """Finds out how the CSV file `path` is written; what is not "auto" is taken as it is given."""
    wishes = Wishes(encoding, delimiter.replace("\\t", "\t"), _QUOTES[quote], header)
    found = detect(find_file(path, context.data_dir), wishes)
    context.log(
        f"{found['path']}: {found['encoding']}, delimiter {found['delimiter']!r}, "
        f"{len(found['columns'])} columns, {'with' if found['has_header'] else 'without'} a header",
        size_bytes=found["size_bytes"],
    )
    return found


@action
def profile_rows(source: Format, context: ActionContext) -> Profile:
    """Validates every row of the file and aggregates every column."""

    def on_progress(fraction: float) -> None:
        if context.cancelled:
            raise InterruptedError("Stopped while reading: the run was cancelled")
        context.progress(fraction, "reading")

    found = read_profile(source, on_progress)
    for kind, count in found["problem_counts"].items():
        context.log(f"{kind}: {count:,}", level="warning")
    context.log(f"{found['rows']:,} rows, {found['valid_rows']:,} of them valid")
    return found


@action
def draw_charts(profile: Profile, most: int, context: ActionContext) -> dict[str, str]:
    """Draws the table's completeness and, for the first `most` columns, what they hold, as SVG."""
    charts = write_charts(profile, _folder(profile, context), most)
    context.log(f"Drew {len(charts)} charts")
    return charts


@action
def write_markdown(profile: Profile, charts: dict[str, str], context: ActionContext) -> str:
    """Writes the report, and returns its path below the plan's data folder."""
    path = write_report(profile, _folder(profile, context), charts)
    context.log(f"The report is {path}")
    return path.relative_to(context.data_dir).as_posix()


def _folder(profile: Profile, context: ActionContext) -> Path:
    """A folder of this run's own, so that two runs on the same file never write into each other."""
    stem = slug(Path(profile["format"]["path"]).stem)
    return context.data_dir / "reports" / f"{stem}-{context.cid[-12:]}"
