"""The Service `kubernetes` in `default`, by which clients in the cluster look for the API server.

It is written anew when it is gone or when it is wrong. Behind it stands the server's own address;
one that leads only from this machine to itself (127.0.0.1, the usual one) can't stand in endpoints,
so that there are none then. Source: kube-apiserver's controller of this Service.
"""

import logging
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from argosy.api.resource import Resource
from argosy.api.resources.core import ENDPOINTS, SERVICE
from argosy.api.resources.network import ENDPOINT_SLICE
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.client.client import Client

log = logging.getLogger(__name__)

Json = dict[str, Any]
NAME: Final = "kubernetes"
NAMESPACE: Final = "default"
ADDRESS: Final = "10.96.0.1"
PORT: Final = 443
PAUSE: Final = 60.0
"""Seconds between two looks."""
MIRRORED: Final = "endpointslice.kubernetes.io/skip-mirror"
OF_SERVICE: Final = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True)
class ServicePublisher:
    """Keeps the Service of a server that is at `url`."""

    client: Client
    clock: Clock
    url: str

    async def run(self) -> None:
        """Keep it until cancelled."""
        while True:
            try:
                await self.publish()
            except (StatusError, ConnectionError) as error:
                log.info("the service is not published", extra={"error": str(error)})
            await self.clock.sleep(PAUSE)

    async def publish(self) -> None:
        """Write what differs. Raises StatusError and ConnectionError."""
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or PORT
        await self.client.apply(SERVICE, service(port))
        if ip_address(host).is_loopback:
            await self._forget(ENDPOINTS)
            await self._forget(ENDPOINT_SLICE)
            return
        await self.client.apply(ENDPOINTS, endpoints(host, port))
        await self.client.apply(ENDPOINT_SLICE, endpoint_slice(host, port))

    async def _forget(self, resource: Resource) -> None:
        """What was written when the server was to be found elsewhere."""
        await self.client.delete(resource, NAME, NAMESPACE)


def service(port: int) -> Json:
    """The Service, of a server that listens on `port`."""
    named = {"name": "https", "protocol": "TCP", "port": PORT, "targetPort": port}
    return {
        "metadata": _meta({"component": "apiserver", "provider": "kubernetes"}),
        "spec": {"type": "ClusterIP", "clusterIP": ADDRESS, "ports": [named]},
    }


def endpoints(host: str, port: int) -> Json:
    """Where the server is."""
    subset = {"addresses": [{"ip": host}], "ports": [_port(port)]}
    return {"metadata": _meta({MIRRORED: "true"}), "subsets": [subset]}


def endpoint_slice(host: str, port: int) -> Json:
    """The same, as a slice."""
    return {
        "metadata": _meta({OF_SERVICE: NAME}),
        "addressType": f"IPv{ip_address(host).version}",
        "endpoints": [{"addresses": [host], "conditions": {"ready": True}}],
        "ports": [_port(port)],
    }


def _meta(labels: dict[str, str]) -> Json:
    return {"name": NAME, "namespace": NAMESPACE, "labels": labels}


def _port(port: int) -> Json:
    return {"name": "https", "protocol": "TCP", "port": port}
