"""Options made from the table of settings, and their values read back.

May import click, msgspec, settings and its table and the model.
"""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click
import msgspec

from aura_aio.cli.params import Number, Whole
from aura_aio.settings import Settings
from aura_aio.settings_table import Setting, settings_table

CLIENT_BRANCH: Final = "client"
"""Its settings are those of the commands that talk to a server."""

_OF_WORKER_HOSTS: Final = {"health_address"}

Command = TypeVar("Command", bound=Callable[..., Any])

_TITLES: Final = {"http": "HTTP"}
_WORDS: Final = re.compile(r"\^\(([\w|]+)\)\$")


class SettingOption(click.Option):
    """The option of one setting."""

    def __init__(self, *args: Any, setting: Setting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.setting = setting


class SettingsCommand(click.Command):
    """A command whose help lists the settings branch by branch."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each branch, then the other options."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            branch = parameter.setting.branch if isinstance(parameter, SettingOption) else "options"
            sections.setdefault(_TITLES.get(branch, branch.capitalize()), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def setting_options(command: Command) -> Command:
    """Give `command` an option for every setting of servers and of hosts of workers; None means not
    given.
    """
    names = [each.name for each in settings_table() if each.branch != CLIENT_BRANCH]
    return options_of(*names)(command)


def server_options(command: Command) -> Command:
    """The same without what is for hosts of workers alone."""
    names = {each.name for each in settings_table() if each.branch != CLIENT_BRANCH}
    return options_of(*names - _OF_WORKER_HOSTS)(command)


def options_of(*names: str) -> Callable[[Command], Command]:
    """Give a command options for the settings of these names alone; None means not given."""
    wanted = [each for each in settings_table() if each.name in names]

    def add(command: Command) -> Command:
        for setting in reversed(wanted):
            command = _option(setting)(command)
        return command

    return add


def given_flags(options: dict[str, Any]) -> dict[str, Any]:
    """Those of the options that were given, as `load_settings` takes them."""
    return {name: value for name, value in options.items() if value not in (None, ())}


def setting_values(settings: Settings) -> dict[str, Any]:
    """The value of every setting, by name."""
    return {
        setting.name: getattr(getattr(settings, setting.branch), setting.name)
        for setting in settings_table()
    }


def shown(value: Any) -> str:
    """A setting's value as one would write it."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def values_of(setting: Setting) -> str:
    """Which values the setting takes, beyond its type: a range, or words; empty when any."""
    kind, _ = _type(setting)
    if isinstance(kind, click.Choice):
        return ", ".join(kind.choices)
    if not isinstance(kind, click.IntRange | click.FloatRange):
        return ""
    low, high = kind.min, kind.max
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"more than {low}" if kind.min_open else f"at least {low}"


def _option(setting: Setting) -> Callable[[Command], Command]:
    is_switch = isinstance(setting.default, bool)
    negative = f"/--no-{setting.flag.removeprefix('--')}" if is_switch else ""
    kind, metavar = (click.BOOL, None) if is_switch else _type(setting)
    return click.option(
        setting.flag + negative,
        setting.name,
        cls=SettingOption,
        setting=setting,
        type=kind,
        metavar=metavar,
        multiple=isinstance(setting.default, tuple),
        default=None,
        help=f"{setting.help}  [default: {shown(setting.default) or 'empty'}]",
    )


def _type(setting: Setting) -> tuple[click.ParamType[Any], str | None]:
    kind = msgspec.inspect.type_info(setting.type)
    if isinstance(kind, msgspec.inspect.Metadata):
        kind = kind.type
    match kind:
        case msgspec.inspect.IntType():
            return Whole(kind.ge, kind.le), None
        case msgspec.inspect.FloatType():
            low = kind.ge if kind.gt is None else kind.gt
            return Number(low, kind.le, min_open=kind.gt is not None), None
        case msgspec.inspect.StrType(pattern=str(pattern)) if words := _WORDS.match(pattern):
            return click.Choice(words[1].split("|")), None
        case _:
            return click.STRING, "TEXT"
