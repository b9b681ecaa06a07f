"""The document of a contract that has passed the checks: read and checked once, not at each start.

May import the standard library, msgspec, and of `contract` `checks` and `reading`.
"""

import os
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from aura_aio.contract.checks import check
from aura_aio.contract.reading import read_yaml

COMPILED: Final = Path(__file__).with_name("__pycache__")
"""Where Python keeps what it has compiled."""

_DIGITS: Final = 32


def checked(text: bytes, source: str, keep_in: Path | None) -> dict[str, Any]:
    """The document that the YAML `text` stands for, once it passes the checks; `source` names it.

    To read and check it takes a quarter of a second of processor time, so what has passed is kept
    as Python keeps what it compiles: beside the modules, for as long as neither it nor the checks
    change, and not where Python is told not to. In `keep_in`; if that is None, nothing is kept.

    Raises:
        ContractError: it is no YAML, or breaks a rule; all faults are listed.
    """
    file = None if keep_in is None else keep_in / f"contract-{_digest(text)}.json"
    if file is not None:
        with suppress(OSError, msgspec.DecodeError):
            return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    document = read_yaml(text, source)
    check(document, source)
    if file is not None and not sys.dont_write_bytecode:
        with suppress(OSError):  # a folder that takes nothing, as is usual where others installed
            _keep(file, msgspec.json.encode(document))
    return document


def _digest(text: bytes) -> str:
    """Of all that the verdict depends on: what is checked, and what checks."""
    digest = sha256(text)
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def _keep(file: Path, content: bytes) -> None:
    file.parent.mkdir(exist_ok=True)
    unfinished = file.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(file)
    for other in file.parent.glob("contract-*.json"):
        if other != file:
            other.unlink()
