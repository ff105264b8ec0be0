"""Writes to secrets on which day their token was used last, as kube-apiserver does.

The server notes it (`apiserver.authentication.legacy`); this is told, and needs not be asked.
"""

import logging
from dataclasses import dataclass

from argosy.api.resources.core import SECRET
from argosy.apiserver.authentication.legacy import DAY, LAST_USED, Used
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client

PAUSE_SECONDS = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UsedTokens:
    """Labels what was used."""

    client: Client
    clock: Clock
    used: Used

    async def run(self) -> None:
        """Do so until cancelled. What could not be written is tried when it is used again."""
        while True:
            for namespace, name, uid in sorted(await self.used.some()):
                day = {LAST_USED: self.clock.now().strftime(DAY)}
                patch = {"metadata": {"uid": uid, "labels": day}}
                try:
                    await self.client.merge(SECRET, name, namespace, patch)
                except (StatusError, OSError) as error:
                    extra = {"secret": f"{namespace}/{name}", "error": str(error)}
                    log.warning("when a token was used is not told", extra=extra)
            await self.clock.sleep(PAUSE_SECONDS)
