"""Groups of commands: in the order in which they were made, and with a hint for a wrong name.

May import click and model.errors.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import click

from aura_aio.model.suggestions import did_you_mean

_WITH_VALUE: Final = ("--url", "--token")
_ALONE: Final = "--json"


class OrderedGroup(click.Group):
    """A group that lists its commands in the order in which they were made.

    What every command has that talks to a server may also stand before its name, as with other
    programs: `aura --url URL runs` is `aura runs --url URL`.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Hand options of the command that stand before its name on to it."""
        options = _leading(args)
        if options:
            args = self._behind_the_name(ctx, options, args[len(options) :])
        return super().parse_args(ctx, args)

    def _behind_the_name(
        self, ctx: click.Context, options: list[str], rest: list[str]
    ) -> list[str]:
        place, command = 0, self.get_command(ctx, rest[0]) if rest else None
        while command is not None:
            place += 1
            if not isinstance(command, click.Group) or place == len(rest):
                break
            command = command.get_command(ctx, rest[place])
        return [*rest[:place], *options, *rest[place:]] if place else rest

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in that order."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named.

        Raises:
            click.UsageError: there is none of this name; says which ones there are.
        """
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            suggestion = did_you_mean(name, known)
            ctx.fail(f"There is no command {name!r}.{suggestion}")
        return super().resolve_command(ctx, args)


class LazyGroup(OrderedGroup):
    """A group that imports a command when it is wanted, so that none waits for what others need."""

    def __init__(self, *args: Any, modules: Mapping[str, str], **kwargs: Any) -> None:
        """`modules` has the names of the commands, and for each the module that defines it."""
        super().__init__(*args, **kwargs)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of `modules`."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, None if there is none."""
        if cmd_name not in self._modules:
            return None
        module = import_module(self._modules[cmd_name])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


class DefaultGroup(OrderedGroup):
    """A group that does its first command when none is named: `aura runs` is `aura runs list`.

    That command takes options only, so a word that is none is the name of a command.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the first command in front, unless one is named or help is asked for."""
        options = _leading(args)
        first = args[len(options) :][:1]
        is_option = bool(first) and first[0].startswith("-")
        if not first or (is_option and first[0] not in self.get_help_option_names(ctx)):
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


def _leading(args: list[str]) -> list[str]:
    """The options of commands that talk to a server, with their values, that `args` begin with."""
    end = 0
    while end < len(args):
        if args[end] in _WITH_VALUE:
            end += 2
        elif args[end] == _ALONE or args[end].startswith(tuple(f"{each}=" for each in _WITH_VALUE)):
            end += 1
        else:
            break
    return args[:end]
