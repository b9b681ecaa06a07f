"""A finding: what was looked at, whether it is well, and what to do where it is not.

May import msgspec only.
"""

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """How it is."""

    OK = "ok"
    WARNING = "warning"
    """It works, but somebody should know."""
    WRONG = "wrong"
    """It does not work, or will not for long."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one check has found; `mend` is what to do, unless the verdict is OK."""

    check: str
    verdict: Verdict
    detail: str
    mend: str = ""


def ok(check: str, detail: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.OK, detail)


def warning(check: str, detail: str, mend: str) -> Finding:
    """It works, but somebody should know."""
    return Finding(check, Verdict.WARNING, detail, mend)


def wrong(check: str, detail: str, mend: str) -> Finding:
    """It does not work, or will not for long."""
    return Finding(check, Verdict.WRONG, detail, mend)
