"""The document of a contract that has passed the checks: read and checked once, not at each start.

May import the standard library, msgspec, and of `contract` `checks`, `kept` and `reading`.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from aura_aio.contract.checks import check
from aura_aio.contract.kept import digest_of, keep
from aura_aio.contract.reading import read_yaml

_MODULES: Final = Path(__file__).parent
COMPILED: Final = _MODULES / "__pycache__"
"""Where Python keeps what it has compiled."""


def checked(text: bytes, source: str, keep_in: Path | None) -> dict[str, Any]:
    """The document that the YAML `text` stands for, once it passes the checks; `source` names it.

    To read and check it takes a quarter of a second of processor time, so what has passed is kept
    as Python keeps what it compiles: beside the modules, for as long as neither it nor the checks
    change, and not where Python is told not to. In `keep_in`; if that is None, nothing is kept.

    Raises:
        ContractError: it is no YAML, or breaks a rule; all faults are listed.
    """
    file = None if keep_in is None else keep_in / f"contract-{digest_of(text, _MODULES)}.json"
    if file is not None:
        with suppress(OSError, msgspec.DecodeError):
            return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    document = read_yaml(text, source)
    check(document, source)
    if file is not None:
        keep(file, msgspec.json.encode(document), file.parent.glob("contract-*.json"))
    return document
