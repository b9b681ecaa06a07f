"""What is announced of a transaction, in words of PostgreSQL: NOTIFY, with portions of the news.

May import the standard library, msgspec and model only.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from aura_aio.model.news import News

CHANNEL: Final = "aura"

_MOST_BYTES: Final = 7_900
"""A notice holds fewer than 8,000."""


class Notice(msgspec.Struct, frozen=True, array_like=True):
    """A portion of the news of the server `sender`."""

    sender: str
    news: News


_notice: Final = msgspec.json.Decoder(Notice)


def notices(sender: str, news: News) -> str:
    """The statements that announce `news`; none, if there is nothing in it. A notice is heard when
    the transaction is committed, in the order of the commits.
    """
    if news == _NOTHING:
        return ""
    return "".join(f"NOTIFY {CHANNEL}, {_literal(text)}; " for text in _texts(sender, news))


def heard(payload: str) -> Notice:
    """The portion in a notice."""
    return _notice.decode(payload)


def _texts(sender: str, news: News) -> Iterator[str]:
    text = msgspec.json.encode(Notice(sender, news))
    if len(text) <= _MOST_BYTES:
        yield text.decode()
        return
    if not news.facts[1:]:  # all else is short, and names of plans and tasks are bounded
        raise ValueError("a fact is too large to be announced")
    half = len(news.facts) // 2
    yield from _texts(sender, News(facts=news.facts[:half]))
    yield from _texts(sender, msgspec.structs.replace(news, facts=news.facts[half:]))


def _literal(text: str) -> str:
    """In quotes; with a backslash in it in those that give it a meaning, so that it has none."""
    quoted = text.replace("'", "''")
    if "\\" in quoted:
        return " E'" + quoted.replace("\\", "\\\\") + "'"
    return f"'{quoted}'"


_NOTHING: Final = News()
