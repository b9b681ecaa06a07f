"""A store that is away for a moment, again and again.

Imports aura_aio.model only.
"""

from typing import Any

from aura_aio.model.errors import StoreUnavailable


class Hesitant:
    """One of a store's ports that is away whenever it is asked something for the first time."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self.refused: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        async def ask(*args: Any) -> Any:
            if name not in self.refused:
                self.refused.add(name)
                raise StoreUnavailable("It is away.")
            return await getattr(self._port, name)(*args)

        return ask
