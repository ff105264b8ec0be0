"""What extension servers must know of this one, published where they all look for it.

That is the ConfigMap `extension-apiserver-authentication`: who certifies clients, and which
headers, from whom, tell of somebody else. It is written anew when it is gone or when it is wrong.
Source: kube-apiserver's cluster authentication trust.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from argosy.api.resources.core import CONFIG_MAP
from argosy.apiserver.aggregation.identity import NAME, ProxyCertificate
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client

log = logging.getLogger(__name__)

PLACE: Final = ("kube-system", "extension-apiserver-authentication")
PAUSE: Final = 60.0
"""Seconds between two looks."""
HEADERS: Final = {
    "requestheader-allowed-names": [NAME],
    "requestheader-extra-headers-prefix": ["X-Remote-Extra-"],
    "requestheader-group-headers": ["X-Remote-Group"],
    "requestheader-uid-headers": ["X-Remote-Uid"],
    "requestheader-username-headers": ["X-Remote-User"],
}


@dataclass(frozen=True, slots=True)
class Publisher:
    """Keeps the ConfigMap. `authority` gives the CA that certifies clients (PEM)."""

    client: Client
    clock: Clock
    front: ProxyCertificate
    authority: Callable[[], bytes]

    async def run(self) -> None:
        """Keep it until cancelled."""
        while True:
            try:
                await self.publish()
            except (StatusError, OSError) as error:
                log.info("the trust in this server is not published", extra={"error": str(error)})
            await self.clock.sleep(PAUSE)

    async def publish(self) -> None:
        """Write it, if it differs. Raises StatusError and OSError."""
        data = await asyncio.to_thread(self._data)
        namespace, name = PLACE
        body: dict[str, Any] = {"metadata": {"name": name, "namespace": namespace}, "data": data}
        await self.client.apply(CONFIG_MAP, body)

    def _data(self) -> dict[str, str]:
        data = {name: json.dumps(values) for name, values in HEADERS.items()}
        data["client-ca-file"] = self.authority().decode()
        data["requestheader-client-ca-file"] = self.front.certificates().ca_pem.decode()
        return data
