"""The table of all settings, and how the tree is made from flags, environment and file.

May import the standard library, msgspec, settings and model only; nothing else reads the
environment.
"""

import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from aura_aio.model.errors import SettingsError
from aura_aio.settings import Settings

ENV_PREFIX: Final = "AURA_"
DEFAULT_FILE: Final = "aura.toml"


class Setting(msgspec.Struct, frozen=True):
    """One row of the table: `name` is unique over all branches."""

    branch: str
    name: str
    type: Any
    default: Any
    help: str
    separator: str = os.pathsep
    """What stands between several values in the variable."""
    is_secret: bool = False
    """Whether its value is shown to nobody."""
    is_address: bool = False
    """Whether it may hold a password, which is shown to nobody, in an address, which is."""

    @property
    def flag(self) -> str:
        """The option of the command line: `--data-dir`."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The variable of the environment: `AURA_DATA_DIR`."""
        return ENV_PREFIX + self.name.upper()


@cache
def settings_table() -> tuple[Setting, ...]:
    """Every setting, branch by branch; flags, documentation and `aura config` are made from it."""
    return tuple(_settings())


def _settings() -> Iterator[Setting]:
    for branch in msgspec.structs.fields(Settings):
        for field in msgspec.structs.fields(branch.type):
            kind = msgspec.inspect.type_info(field.type)
            help_text, extra = "", {}
            if isinstance(kind, msgspec.inspect.Metadata):
                help_text = (kind.extra_json_schema or {}).get("description", "")
                extra = kind.extra or {}
            yield Setting(
                branch=branch.name,
                name=field.name,
                type=field.type,
                default=field.default,
                help=help_text,
                separator=extra.get("separator", os.pathsep),
                is_secret=extra.get("secret", False),
                is_address=extra.get("address", False),
            )


def load_settings(
    flags: Mapping[str, Any], environ: Mapping[str, str], file: Path | None = None
) -> Settings:
    """The settings: a flag wins over the environment, that over the file, that over the default.

    `flags` holds values by setting name, without those that were not given. `file` is TOML with a
    table per branch; without it `aura.toml` in the working directory is read when there is one.

    Raises:
        SettingsError: a value does not fit, or the file cannot be read; it names the source.
    """
    document = _read_file(file)
    tree: dict[str, dict[str, Any]] = {}
    for setting in settings_table():
        found = _find(setting, flags, environ, document)
        if found is None:
            continue
        value, source = found
        try:
            checked = msgspec.convert(value, setting.type, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(f"{source}: {error}") from error
        tree.setdefault(setting.branch, {})[setting.name] = checked
    return msgspec.convert(tree, Settings)


def settings_sources(
    flags: Mapping[str, Any], environ: Mapping[str, str], file: Path | None = None
) -> dict[str, str]:
    """Where each setting comes from that is not left at its default: its flag, its variable or its
    place in the file, by setting name. Takes and raises what `load_settings` does.
    """
    document = _read_file(file)
    found = {each.name: _find(each, flags, environ, document) for each in settings_table()}
    return {name: value[1] for name, value in found.items() if value is not None}


def _find(
    setting: Setting,
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    document: Mapping[str, Any],
) -> tuple[Any, str] | None:
    if setting.name in flags:
        return flags[setting.name], setting.flag
    if setting.variable in environ:
        text = environ[setting.variable]
        if isinstance(setting.default, tuple):
            parts = (part.strip() for part in text.split(setting.separator))
            return [part for part in parts if part], setting.variable
        return text, setting.variable
    branch = document.get(setting.branch, {})
    if setting.name in branch:
        return branch[setting.name], f"[{setting.branch}] {setting.name} in the settings file"
    return None


def _read_file(file: Path | None) -> Mapping[str, Any]:
    path = file if file is not None else Path(DEFAULT_FILE)
    if file is None and not path.is_file():
        return {}
    import tomllib  # noqa: PLC0415 - there may be no file

    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error}") from error
    known: dict[str, set[str]] = {}
    for setting in settings_table():
        known.setdefault(setting.branch, set()).add(setting.name)
    for branch, values in document.items():
        if branch not in known or not isinstance(values, dict):
            raise SettingsError(f"{path}: there is no table [{branch}] of settings.")
        for name in values:
            if name not in known[branch]:
                raise SettingsError(f"{path}: [{branch}] has no setting {name!r}.")
    return document
