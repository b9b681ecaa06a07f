"""Who imports whom, and what importing costs: the layers of the design hold, modules stand alone.

Imports pytest and `source` only: the modules are imported by interpreters of their own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.source import REPOSITORY, sources

_LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"


# What others have published that modules of ours load, the system's among it, in this order.
_PUBLISHED = """
import contextlib, importlib, sys
for module in sys.argv[1:]:
    with contextlib.suppress(BaseException):
        importlib.import_module(module)
print(*[name for name in sys.modules if name.partition(".")[0] != "aura_aio"])
"""

# Each module as the first of ours in its process: a fork of one that has loaded what others have
# published and the packages that the module is in, which any import of it begins with, and nothing
# else of ours. Where there is no fork (Windows), the others are forgotten before each.
_ALONE = """
import contextlib, gc, importlib, os, sys
gc.disable()

def is_imported(module):
    try:
        importlib.import_module(module)
    except BaseException as error:
        print(f"{module}: {error!r}", flush=True)
        return False
    return True

def import_in_forks(module):
    process = os.fork()
    if process:
        _, status = os.waitpid(process, 0)
        if status:
            print(f"{module}: its process ended with {status}", flush=True)
        return
    if is_imported(module):
        for below in modules:
            if below.rpartition(".")[0] == module:
                import_in_forks(below)
    os._exit(0)

published, modules = sys.argv[1].split(), sys.argv[2:]
for module in published:
    with contextlib.suppress(Exception):  # what needs it fails as well, and says so
        importlib.import_module(module)
assert not [name for name in sys.modules if name.partition(".")[0] == "aura_aio"]
gc.freeze()
if hasattr(os, "fork"):
    import_in_forks("aura_aio")
else:
    for module in modules:
        for name in [name for name in sys.modules if name.partition(".")[0] == "aura_aio"]:
            del sys.modules[name]
        is_imported(module)
"""

# A server with plans is ready. Its workers would be processes of their own: none can be started.
_SERVE = """
import asyncio, os, sys
import aura_aio.cli.serve
from aura_aio import lifetime
from aura_aio.settings_table import load_settings

def start_none(*_, **__):
    raise OSError("none here")

def ready(_):
    print(*sys.modules, flush=True)
    os._exit(0)

plans, data_dir = sys.argv[1:]
settings = load_settings({"port": 0, "plans": (plans,), "data_dir": data_dir}, {}, None)
asyncio.run(lifetime.serve(settings, {}, ready, {}, start_process=start_none))
"""

# That contract and schemas fit is kept, if it is not known yet.
_LOOK_ONCE = """
import sys
sys.dont_write_bytecode = False
from aura_aio.api.mirrored import must_be_mirrored
from aura_aio.contract.document import load_contract
must_be_mirrored(load_contract())
"""

# What a server needs seldom, or its workers alone; what that costs its start was measured
# (docs/explanation/performance.md).
_NOT_UNTIL_READY = (
    "aura_aio.engine.runner",
    "aura_aio.engine.sandbox",
    "aura_aio.worker.session",
    "jinja2.sandbox",
    "marshmallow",
    "webargs",
    "apispec",
    "aiohttp_apispec",
    "cryptography",
    "difflib",
    "regex",
    "rich",
    "tomllib",
    "watchfiles",
)


def _python(
    code: str, *arguments: str, cwd: Path = REPOSITORY, warnings: str = "default"
) -> subprocess.CompletedProcess[str]:
    # PYTHONPATH, because the interpreter shall see this tree, not one that is installed.
    return subprocess.run(
        [sys.executable, "-W", warnings, "-c", code, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(cwd), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def _lint_imports(cwd: Path) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.argv = ['lint-imports', '--no-logo', '--no-cache']; {_LINT_IMPORTS}"
    return _python(code, cwd=cwd)


def test_imports_follow_the_layers() -> None:
    done = _lint_imports(REPOSITORY)
    assert done.returncode == 0, (
        "An import goes against [tool.importlinter] in pyproject.toml (rule 1 of the design: calls "
        "go down, facts come up through the Journal and the event bus):\n" + done.stdout
    )


def test_an_import_against_the_layers_is_seen(tmp_path: Path) -> None:
    without_caches = shutil.ignore_patterns("__pycache__")
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    shutil.copytree(REPOSITORY / "aura_aio", tmp_path / "aura_aio", ignore=without_caches)
    with (tmp_path / "aura_aio" / "model" / "ids.py").open("a", encoding="utf-8") as module:
        module.write("\nimport aura_aio.scheduler.events\n")
    done = _lint_imports(tmp_path)
    assert done.returncode == 1
    assert "aura_aio.model.ids -> aura_aio.scheduler.events" in done.stdout


def test_every_module_imports_alone_and_without_a_warning() -> None:
    modules = [
        source.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for source in sources("aura_aio")
    ]
    published = _python(_PUBLISHED, *modules).stdout
    assert "aiohttp" in published.split()
    done = _python(_ALONE, published, *modules, warnings="error")
    complaints = done.stdout + done.stderr
    assert not complaints, (
        "Each module imports what it needs itself, in an order that no other module has to "
        "prepare, and warns of nothing (see it with: python -W error -c 'import …'):\n" + complaints
    )
    assert done.returncode == 0


def test_importing_the_package_is_light() -> None:
    def loaded(code: str) -> set[str]:
        done = _python(f"{code}; import sys; print(*sys.modules)")
        assert done.returncode == 0, done.stderr
        return {name.partition(".")[0] for name in done.stdout.split()}

    # What an interpreter of this environment loads anyway (site, *.pth) does not count.
    heavy = loaded("import aura_aio") - loaded("pass") - sys.stdlib_module_names
    assert heavy <= {"aura_aio", "msgspec", "typing_extensions"}, (
        "A plan's actions.py says `from aura_aio import action`, in every worker: that loads the "
        "model only. Import the rest where it is used, not in aura_aio/__init__.py."
    )


def test_a_server_is_ready_without_what_it_needs_seldom(tmp_path: Path) -> None:
    looked = _python(_LOOK_ONCE)
    assert looked.returncode == 0, looked.stderr
    done = _python(_SERVE, str(REPOSITORY / "plans"), str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    imported = {
        name
        for name in done.stdout.split()
        if any(f"{name}.".startswith(f"{each}.") for each in _NOT_UNTIL_READY)
    }
    assert not imported, (
        "These are imported before a server is ready, of which it needs none until then: import "
        f"them where they are used ({sorted(imported)})."
    )
