"""JSON Pointers (RFC 6901): where in a JSON value something is, and how people write that.

May import the standard library only.
"""


def below(pointer: str, name: str) -> str:
    """The place of the property `name` of what is at `pointer`."""
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def parts_of(pointer: str) -> list[str]:
    """The names and indexes that lead there."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def spelled(pointer: str) -> str:
    """The place as people write it: `name[3].key`."""
    parts = (f"[{part}]" if part.isdecimal() else f".{part}" for part in parts_of(pointer))
    return "".join(parts).removeprefix(".")
