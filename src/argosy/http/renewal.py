"""A server's certificate, kept fresh while it runs.

Whatever changes the files, the server's own renewal before their end or somebody's hand, those who
connect later are shown the new certificate, and nobody who is connected notices.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from argosy.base.clock import Clock
from argosy.http.tls import Certificates, change_certificate

LOOK_SECONDS: Final = 60.0

log = logging.getLogger(__name__)


class Renewal:
    """Looks after what `context` shows. `ensure` makes the files anew where that is due."""

    def __init__(
        self, context: ssl.SSLContext, ensure: Callable[[], Certificates], clock: Clock
    ) -> None:
        self._context = context
        self._ensure = ensure
        self._clock = clock
        self._seen: tuple[bytes, bytes] | None = None

    async def run(self) -> None:
        """Look, again and again, until cancelled."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except OSError as error:  # half a pair, or none: perhaps the other half is to come
                log.warning("the certificate was not renewed", extra={"error": str(error)})

    async def _look(self) -> None:
        files = await asyncio.to_thread(self._ensure)
        found = await asyncio.to_thread(_read, files.cert_file, files.key_file)
        if found == self._seen:
            return
        change_certificate(self._context, files.cert_file, files.key_file)
        self._seen = found


def _read(cert_file: Path, key_file: Path) -> tuple[bytes, bytes]:
    return cert_file.read_bytes(), key_file.read_bytes()
