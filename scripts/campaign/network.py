"""Machines of the campaign: network namespaces on a bridge, with links that can be cut.

Imports the standard library only. Needs root and `ip` (iproute2).
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

_BRIDGE = "auratorture"
_SUBNET = "10.213.77"


class Unusable(Exception):
    """This system does not let us make namespaces."""


class Machine:
    """A network namespace with an address; `name` is also that of its link."""

    def __init__(self, number: int) -> None:
        self.name = f"auratort{number}"
        self.address = f"{_SUBNET}.{number + 1}"

    def command(self, words: list[str]) -> list[str]:
        """`words` as a command that runs on it."""
        return ["ip", "netns", "exec", self.name, *words]

    def cut(self) -> None:
        """Nothing reaches it, or comes from it; nobody is told."""
        _ip("link", "set", self.name, "down")

    def mend(self) -> None:
        """Undo `cut`."""
        _ip("link", "set", self.name, "up")

    def make(self) -> None:
        """Make it, on the bridge."""
        _ip("netns", "add", self.name)
        _ip("link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _ip("link", "set", self.name, "master", _BRIDGE, "up")
        for words in (
            ("addr", "add", f"{self.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", self.name, *words)


HUB = f"{_SUBNET}.1"
"""Our own address on the bridge."""


@contextmanager
def machines(count: int) -> Iterator[list[Machine]]:
    """So many machines, which are gone with the context.

    Raises:
        Unusable: they cannot be made here; the message says why.
    """
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("ip") is None:
        raise Unusable("The machines are network namespaces, which need root and ip (iproute2).")
    made = [Machine(number) for number in range(1, count + 1)]
    _remove(made)
    try:
        try:
            _ip("link", "add", _BRIDGE, "type", "bridge")
            _ip("addr", "add", f"{HUB}/24", "dev", _BRIDGE)
            _ip("link", "set", _BRIDGE, "up")
            for machine in made:
                machine.make()
        except subprocess.CalledProcessError as error:
            raise Unusable(f"Network namespaces cannot be made here: {error.stderr}") from error
        yield made
    finally:
        _remove(made)


def _remove(made: list[Machine]) -> None:
    for machine in made:
        subprocess.run(["ip", "netns", "del", machine.name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", machine.name], capture_output=True, check=False)
    subprocess.run(["ip", "link", "del", _BRIDGE], capture_output=True, check=False)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, check=True, text=True)
