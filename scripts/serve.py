"""Start the server: make `.venv` when needed, then hand every option to `aura serve`.

Imports the standard library and `environment` only.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from environment import REPOSITORY, SERVER, hand_over

# Where the server of this repository finds its plans and keeps its data, from whatever folder it
# is started: (option, variable, (table, name) in the settings file, folder).
_FOLDERS = (
    ("--plans", "AURA_PLANS", ("plans", "plans"), REPOSITORY / "plans"),
    ("--data-dir", "AURA_DATA_DIR", ("store", "data_dir"), REPOSITORY / ".aura"),
)


def main(options: Sequence[str]) -> None:
    """Become `aura serve` with `options`, and with the folders that nobody has set."""
    SERVER.prepare()
    # -P: what lies in the working directory must not stand in for a module.
    aura = [str(SERVER.python), "-P", "-m", "aura_aio", "serve"]
    hand_over([*aura, *_unset_folders(options), *options])


def _unset_folders(options: Sequence[str]) -> Iterator[str]:
    given = {option.partition("=")[0] for option in options}
    file = _settings_file(options)
    for option, variable, (table, name), folder in _FOLDERS:
        if option not in given and variable not in os.environ and name not in file.get(table, ()):
            yield f"{option}={folder}"


def _settings_file(options: Sequence[str]) -> dict[str, dict[str, object]]:
    import tomllib  # noqa: PLC0415 - an older Python shall get as far as the message about it

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config", type=Path, default=Path("aura.toml"))
    path = parser.parse_known_args(options)[0].config
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # missing or broken: aura says so itself
    return {name: table for name, table in document.items() if isinstance(table, dict)}


if __name__ == "__main__":
    main(sys.argv[1:])
