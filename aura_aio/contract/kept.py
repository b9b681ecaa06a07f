"""What need not be found out at each start is kept as Python keeps what it compiles.

May import the standard library only.
"""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

_DIGITS: Final = 32


def digest_of(text: bytes, *sources: Path) -> str:
    """Of all that a verdict depends on: what is checked, and the modules, or packages of modules,
    that check.
    """
    digest = sha256(text)
    for source in sources:
        for module in sorted(source.glob("*.py")) if source.is_dir() else (source,):
            digest.update(module.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def keep(file: Path, content: bytes, others: Iterable[Path]) -> None:
    """Keep `content` in `file`, in place of `others`; not where Python is told to keep nothing, nor
    in a folder that takes nothing, as is usual where others installed.
    """
    if sys.dont_write_bytecode:
        return
    with suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        unfinished = file.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.replace(file)
        for other in others:
            if other != file:
                other.unlink()
