"""Secrets and keys: files that nobody else can read, and variables that are taken away.

May import the standard library, settings and its table, and model only. Nothing here is shown, or
logged.
"""

import os
import re
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Final

from aura_aio.model.errors import SettingsError
from aura_aio.settings import WorkerSettings
from aura_aio.settings_table import settings_table

SECRET_PREFIX: Final = "AURA_SECRET_"  # noqa: S105 - a part of a name
"""What the variables begin with that bring the secrets of templates: AURA_SECRET_TOKEN is
`secrets.TOKEN`.
"""

_SECRET_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def take_secrets(settings: WorkerSettings, environ: MutableMapping[str, str]) -> dict[str, str]:
    """The secrets of templates by name: those of the settings' file, and over them those of the
    variables AURA_SECRET_…, which are taken out of `environ`, so that no process that is started
    later has them in its environment; nor has it the other settings that may hold a secret. In the
    file the last line of a name counts.

    Raises:
        SettingsError: the file cannot be read, can be read by others, or has a line that is none.
    """
    secrets = _read_secrets(Path(settings.secrets_file)) if settings.secrets_file else {}
    for variable in [name for name in environ if name.startswith(SECRET_PREFIX)]:
        secrets[variable.removeprefix(SECRET_PREFIX)] = environ.pop(variable)
    for setting in settings_table():
        if setting.is_secret or setting.is_address:
            environ.pop(setting.variable, None)
    return secrets


def refuse_if_public(path: Path) -> None:
    """Do not use a file with secrets that others than its owner and group can read or change
    (on Windows, whose files have no such mode: never).

    Raises:
        SettingsError: so it is.
        OSError: there is no such file.
    """
    if os.name == "posix" and path.stat().st_mode & 0o007:
        raise SettingsError(
            f"The file {path} holds secrets, and everybody on this machine can get at it: "
            f"chmod o= {path}"
        )


def read_or_make_key(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of the key file `path`, without white space around it; the first time it is made,
    durably, for its owner alone.

    Raises:
        SettingsError: others than its owner and group can read it.
        OSError: it can neither be read nor made.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        refuse_if_public(path)
        return path.read_bytes().strip()
    key = make()
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


def _read_secrets(path: Path) -> dict[str, str]:
    try:
        refuse_if_public(path)
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The secrets file {path} cannot be read: {error}") from error
    secrets: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not _SECRET_NAME.match(name.strip()):
            raise SettingsError(f"{path}, line {number}: this is no NAME=value.")
        secrets[name.strip()] = value.strip()
    return secrets
