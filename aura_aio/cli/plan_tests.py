"""`aura plans test`: the tests of a plan, with pytest.

May import click, the model and `cli`; the catalog only once the command runs. The plugin that the
tests need (`aura_aio.testing.plugin`) is loaded by pytest, in a process of its own.
"""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

import aura_aio
from aura_aio.cli.failure import Failure
from aura_aio.cli.remote import INTERRUPTED
from aura_aio.cli.roots import plan_roots
from aura_aio.model.errors import AuraError

_TESTS: Final = "tests"
_SETTINGS: Final = ("pytest.toml", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
_NO_SETTINGS: Final = Path(aura_aio.__file__).parent / "testing" / "pytest.ini"
_EXIT_CODES: Final = {0: 0, 4: 2}
"""Those of pytest (the second: its options are wrong) as ours; any other is 1."""


@click.command(
    "test",
    context_settings={"ignore_unknown_options": True},
    epilog="All that stands behind PLAN goes to pytest: aura plans test hello -k greet -x",
)
@click.argument("plan")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST OPTIONS]")
def test_plan(plan: str, options: tuple[str, ...]) -> None:
    """Run the tests of PLAN (its name or its folder).

    They are in the plan's folder tests/, and need no server: its tasks run in the process of the
    tests. Waits take no time there, and http.* actions get the answers that the tests have for
    them.
    """
    roots = plan_roots()
    folder = _folder(plan, roots)
    if not (folder / _TESTS).is_dir():
        raise Failure(
            f"The plan has no tests: there is no folder {folder / _TESTS}.\n"
            "Its files are called like test_tasks.py; aura plans new makes a plan that has some."
        )
    if importlib.util.find_spec("pytest") is None:
        raise Failure(
            "The tests of plans need pytest, which is not installed here. Install it with:\n"
            f"{sys.executable} -m pip install 'aura-aio[test]'"
        )
    raise click.exceptions.Exit(_exit_code([*_pytest(folder, roots), *options]))


def _folder(plan: str, roots: Sequence[Path]) -> Path:
    from aura_aio.catalog.catalog import is_plan, load_catalog  # noqa: PLC0415 - takes 0.2 s

    catalog = load_catalog(root for root in roots if root.is_dir())
    if plan not in catalog.plans and is_plan(Path(plan).resolve()):
        return Path(plan).resolve()
    try:
        return Path(catalog.plan(plan).root)
    except AuraError as error:
        places = ", ".join(map(str, roots))
        raise Failure(f"{error}\nLooked for in {places}, and as a folder.") from error


def _pytest(folder: Path, roots: Sequence[Path]) -> Iterator[str]:
    # -P: what lies in the working directory must not stand in for a module. -B: no __pycache__
    # in the plan, which a server may watch.
    yield from (sys.executable, "-P", "-B", "-m", "pytest", "-q")
    yield from ("-p", "aura_aio.testing.plugin", "-p", "no:cacheprovider")
    yield "--import-mode=importlib"  # tests of two plans may have the same name
    own = (folder / name for name in _SETTINGS)
    settings = next((file for file in own if file.is_file()), _NO_SETTINGS)
    yield from ("-c", str(settings), "--rootdir", str(folder), "--confcutdir", str(folder))
    known = [root.resolve() for root in roots if root.is_dir()]
    if folder.parent in known:  # else one of them may have a plan of the same name
        for root in known:
            yield from ("--aura-plans", str(root))
    yield str(folder / _TESTS)


def _exit_code(command: Sequence[str]) -> int:
    """Run `command` to its end; its exit code as one of `aura`."""
    interrupted = False
    with subprocess.Popen(command) as process:  # noqa: S603 - of our words and the user's own
        while process.returncode is None:
            try:
                process.wait()
            except KeyboardInterrupt:  # it has come to the process too, which ends by it
                interrupted = True
        if interrupted:
            return INTERRUPTED
        return _EXIT_CODES.get(process.returncode, 1)
