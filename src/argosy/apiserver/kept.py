"""Large documents that few ask for: made off the event loop when first asked for, kept small."""

import asyncio
import zlib
from collections.abc import Callable


class Kept:
    """Documents by name, compressed while nobody reads them."""

    def __init__(self) -> None:
        self._documents: dict[str, tuple[str, bytes]] = {}
        self._making = asyncio.Lock()

    async def get(self, name: str, make: Callable[[], bytes], tag: str = "") -> bytes:
        """The document `name`; `make` runs in a thread, one at a time. One that was kept under
        another tag is made again.
        """
        kept = self._known(name, tag)
        if kept is None:
            async with self._making:
                kept = self._known(name, tag)
                if kept is None:
                    made, packed = await asyncio.to_thread(_made, make)
                    self._documents[name] = (tag, packed)
                    return made
        return await asyncio.to_thread(zlib.decompress, kept)

    def _known(self, name: str, tag: str) -> bytes | None:
        known, packed = self._documents.get(name, ("", b""))
        return packed if packed and known == tag else None


def _made(make: Callable[[], bytes]) -> tuple[bytes, bytes]:
    made = make()
    return made, zlib.compress(made)
