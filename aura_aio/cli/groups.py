"""Groups of commands: in the order in which they were made, and with a hint for a wrong name.

May import click and model.errors.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from aura_aio.model.suggestions import did_you_mean


class OrderedGroup(click.Group):
    """A group that lists its commands in the order in which they were made."""

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
        is_option = bool(args) and args[0].startswith("-")
        if not args or (is_option and args[0] not in self.get_help_option_names(ctx)):
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)
