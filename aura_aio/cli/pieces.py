"""What lines and tables of the command line are made of.

May import msgspec and the standard library.
"""

import msgspec

Piece = str | tuple[str, str]
"""Text, or text and its style; it is made `safe` when it is printed."""


class Column(msgspec.Struct, frozen=True):
    """A column of a table; an elastic one is cut (`…`) or wrapped where the terminal is narrow."""

    title: str
    elastic: bool = False
    wrap: bool = False
    right: bool = False


def plain(piece: Piece) -> str:
    """Its text."""
    return piece if isinstance(piece, str) else piece[0]
