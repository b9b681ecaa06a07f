"""Whether marshmallow mirrors all of the contract: found out once, not at each start.

May import the standard library and contract; `judging` if it is not known.
"""

from contextlib import suppress
from pathlib import Path
from typing import Final

from aura_aio.contract.document import Contract
from aura_aio.contract.kept import digest_of, keep

_MODULES: Final = Path(__file__).parent
COMPILED: Final = _MODULES / "__pycache__"
"""Where Python keeps what it has compiled."""


def must_be_mirrored(contract: Contract, keep_in: Path = COMPILED) -> None:
    """Return if there is a schema for all that is asked and answered in JSON.

    To import the schemas takes a tenth of a second, so it is kept in `keep_in` that they are all
    there, for as long as neither the contract, nor the schemas, nor who looks change. No start goes
    without.

    Raises:
        ContractError: there is not.
    """
    digest = digest_of(contract.yaml, _MODULES / "schemas", _MODULES / "judging.py")
    file = keep_in / f"mirrored-{digest}"
    with suppress(OSError):  # a folder that lets nobody look is as one that keeps nothing
        if file.exists():
            return
    from aura_aio.api.judging import must_be_mirrored as judged  # noqa: PLC0415 - seldom needed

    judged(contract)
    keep(file, b"", keep_in.glob("mirrored-*"))
