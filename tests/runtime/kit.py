"""What the runtime's tests share: small objects, and a transport that fails when told to."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from argosy.api.core import ConfigMap
from argosy.client.client import Client
from argosy.client.transport import Transport
from argosy.http.message import Request, Response
from argosy.testing.cluster import Cluster

Json = dict[str, Any]


def config_map(name: str, *, owner: Json | None = None, **data: str) -> Json:
    """A ConfigMap as JSON."""
    meta: Json = {"name": name, "namespace": "default"}
    if owner is not None:
        meta["ownerReferences"] = [owner]
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def owner(name: str, uid: str, *, controller: bool = True) -> Json:
    """An owner reference to a ConfigMap."""
    known = {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid}
    return {**known, "controller": controller}


async def make(client: Client, name: str, **options: Any) -> ConfigMap:
    """Create a ConfigMap and read it."""
    await client.create(ConfigMap.resource, config_map(name, **options))
    return await client.get(ConfigMap, name, "default")


Fault = Callable[[Request], Awaitable[Response | None]]


async def no_fault(request: Request) -> Response | None:
    """Nothing is wrong."""
    return None


@dataclass
class Faulty:
    """Hands requests on and notes them; `fault` may raise, or answer in the server's place."""

    inner: Transport
    fault: Fault = no_fault
    seen: list[Request] = field(default_factory=list)
    cut: list[Exception | None] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        self.seen.append(request)
        answer = await self.fault(request)
        if answer is not None:
            return answer
        response = await self.inner.send(request)
        if watches(request) and not isinstance(response.body, bytes):
            return replace(response, body=self._watched(response.body))
        return response

    async def _watched(self, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """The stream, broken off after the piece during which `cut` got an entry."""
        async for piece in body:
            yield piece
            if self.cut:
                error = self.cut.pop()
                if error is not None:
                    raise error
                return

    async def close(self) -> None:
        await self.inner.close()

    def count(self, method: str, *, watch: bool = False) -> int:
        """How many requests of a method were sent."""
        return sum(1 for item in self.seen if item.method == method and watches(item) == watch)


def watches(request: Request) -> bool:
    """Whether the request is a watch."""
    return "watch=true" in request.query


def faulty(running: Cluster) -> tuple[Client, Faulty]:
    """A client of the cluster over a transport that can fail."""
    transport = Faulty(running.client.transport)
    return Client(transport, "test"), transport
