"""Large documents that few ask for: made off the event loop when first asked for, kept small."""

import asyncio
import zlib
from collections.abc import Callable


class Kept:
    """Documents by name, compressed while nobody reads them."""

    def __init__(self) -> None:
        self._documents: dict[str, bytes] = {}
        self._making = asyncio.Lock()

    async def get(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The document `name`; `make` runs in a thread, one at a time."""
        if name not in self._documents:
            async with self._making:
                if name not in self._documents:
                    made, packed = await asyncio.to_thread(_made, make)
                    self._documents[name] = packed
                    return made
        return await asyncio.to_thread(zlib.decompress, self._documents[name])


def _made(make: Callable[[], bytes]) -> tuple[bytes, bytes]:
    made = make()
    return made, zlib.compress(made)
