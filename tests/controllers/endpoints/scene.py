"""A cluster with the controllers of endpoints."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from argosy.api.core import Node, Pod, Service
from argosy.api.endpoints import Endpoints, EndpointSlice
from argosy.api.resource import Resource
from argosy.controllers.endpoints.controllers import add_endpoints
from argosy.testing.clock import settle
from tests.controllers.faults import Lagging
from tests.controllers.kit import Scene, controlled

Json = dict[str, Any]
WHERE = {"namespace": "default"}
ZONED = {"name": "n", "labels": {"topology.kubernetes.io/zone": "z"}}


class LateServices(Lagging):
    """What becomes of services is heard late."""

    late = ("/services",)


@asynccontextmanager
async def endpoints() -> AsyncGenerator[Scene, None]:
    """With the node `n`, in the zone `z`."""
    async with controlled(add_endpoints) as it:
        await it.client.create(Node.resource, {"metadata": ZONED})
        await settle()
        yield it


async def serve(it: Scene, name: str = "s", labels: Json | None = None, **spec: Any) -> None:
    """Make a service; by default it selects `app: a`."""
    given = {"selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": 8080}], **spec}
    meta = {"name": name, **WHERE, "labels": labels or {}}
    await it.client.create(Service.resource, {"metadata": meta, "spec": given})
    await settle()


async def run(it: Scene, name: str, ip: str, *, ready: bool = True, **meta: Any) -> None:
    """Make a pod, and let it run."""
    body = {
        "metadata": {"name": name, **WHERE, "labels": {"app": "a"}, **meta},
        "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]},
    }
    await it.client.create(Pod.resource, body)
    await say(it, name, ip, ready=ready)


async def say(it: Scene, name: str, ip: str, *, ready: bool) -> None:
    """Let the pod say how it is."""
    condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "lastTransitionTime": it.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    status = {"podIP": ip, "podIPs": [{"ip": ip}], "conditions": [condition], "phase": "Running"}
    await it.client.merge(Pod.resource, name, "default", {"status": status}, subresource="status")
    await settle()


async def raw(it: Scene, resource: Resource) -> list[Json]:
    """All objects of a kind, as they are."""
    found = json.loads(await it.client.call("GET", resource.path("", "default")))
    items: list[Json] = found["items"]
    return items


async def slices(it: Scene) -> list[EndpointSlice]:
    """All slices."""
    return (await it.client.list(EndpointSlice, "default")).items


async def legacy(it: Scene, name: str = "s") -> Endpoints | None:
    """The Endpoints of that name."""
    return await it.client.find(Endpoints, name, "default")


def said(piece: EndpointSlice) -> dict[str, bool | None]:
    """Addresses, and whether they are ready."""
    return {one.addresses[0]: one.conditions.ready for one in piece.endpoints}
