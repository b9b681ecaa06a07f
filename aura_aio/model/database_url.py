"""The address of a database server, which may hold a password, and so is never shown as it is.

May import the standard library only.
"""

from typing import Final
from urllib.parse import parse_qsl, urlsplit

SCHEMES: Final = frozenset({"postgresql", "postgres"})

_HIDDEN: Final = "***"
_SHOWN: Final = ("host", "port", "dbname", "user")
"""What may be seen of what stands behind the question mark."""


class DatabaseUrl:
    """As text it is what may be shown; `secret` is the whole of it."""

    def __init__(self, url: str) -> None:
        self.secret = url

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseUrl) and other.secret == self.secret

    def __hash__(self) -> int:
        return hash(self.secret)

    def __repr__(self) -> str:
        return f"DatabaseUrl({str(self)!r})"

    def __str__(self) -> str:
        scheme = self.secret.partition("://")[0]
        try:
            parts = urlsplit(self.secret)
            options = parse_qsl(parts.query)
        except ValueError:
            return f"{scheme}://{_HIDDEN}"
        if "@" in parts.path + parts.query + parts.fragment:  # the password was not escaped
            return f"{scheme}://{_HIDDEN}"
        user, at, host = parts.netloc.rpartition("@")
        shown = f"{scheme}://{user.partition(':')[0]}{at}{host}{parts.path}"
        seen = "&".join(f"{name}={value}" for name, value in options if name in _SHOWN)
        return f"{shown}?{seen}" if seen else shown

    def without_secrets(self, text: str) -> str:
        """`text`, which may quote the address or the password, as it may be shown."""
        text = text.replace(self.secret, str(self))
        for password in self._passwords():
            text = text.replace(password, _HIDDEN)
        return text

    def _passwords(self) -> list[str]:
        try:
            parts = urlsplit(self.secret)
            options = parse_qsl(parts.query)
            found = [parts.password, *(value for name, value in options if name not in _SHOWN)]
        except ValueError:
            return []
        return [each for each in found if each]


def shown(setting: str) -> str:
    """The value of a setting that may be an address, as it may be shown."""
    return str(DatabaseUrl(setting)) if setting.partition("://")[0] in SCHEMES else setting


def holds_secret(setting: str) -> bool:
    """Whether the value of such a setting has something in it that is not to be shown."""
    return shown(setting) != setting
