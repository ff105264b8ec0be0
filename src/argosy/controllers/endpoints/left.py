"""Deletes Endpoints that services leave behind: they have no owner by which they were collected.

Those that were kept by the controller go whenever their service isn't there. Those that users made
go when their service is seen to go, or went before this began; whoever makes them a moment before
their service doesn't lose them. Those by which leaders are elected have no service at all. Source:
upstream's endpoints controller.
"""

from dataclasses import dataclass, field

from argosy.api.core import Service
from argosy.api.endpoints import Endpoints
from argosy.api.meta import Key
from argosy.base.clock import timestamp
from argosy.client.client import Client
from argosy.controllers.endpoints.legacy import MANAGED_BY, MANAGER
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/endpoints/left"
LEADER = "control-plane.alpha.kubernetes.io/leader"


@dataclass(frozen=True)
class LeftEndpoints:
    """Deletes Endpoints. `began` is when it was made, `left` which were seen to be left."""

    client: Client
    services: Informer[Service]
    endpoints: Informer[Endpoints]
    began: str
    left: set[Key] = field(default_factory=set)

    def watch(self) -> None:
        """Keep up with which services go."""
        self.services.subscribe(self._service_changed)
        self.endpoints.subscribe(self._endpoints_changed)

    async def reconcile(self, endpoints: Endpoints) -> Result:
        """Delete the Endpoints, if they were left."""
        if self.services.get(*endpoints.key) is not None or not self._is_left(endpoints):
            return DONE
        meta = endpoints.metadata
        # The cache may lag behind another process that has made them for a new service.
        if await self.client.find(Service, meta.name, meta.namespace) is None:
            await self.client.delete(endpoints.resource, meta.name, meta.namespace, uid=meta.uid)
        return DONE

    def _is_left(self, endpoints: Endpoints) -> bool:
        meta = endpoints.metadata
        if LEADER in meta.annotations:
            return False
        old = (meta.creation_timestamp or "") < self.began
        return old or meta.labels.get(MANAGED_BY) == MANAGER or endpoints.key in self.left

    def _service_changed(self, old: Service | None, new: Service | None) -> None:
        if new is not None:
            self.left.discard(new.key)
        elif old is not None and self.endpoints.get(*old.key) is not None:
            self.left.add(old.key)

    def _endpoints_changed(self, old: Endpoints | None, new: Endpoints | None) -> None:
        if new is None and old is not None:
            self.left.discard(old.key)


def left_endpoints(manager: Manager) -> Controller[Endpoints]:
    """The controller of Endpoints without a service, on the manager's caches."""
    services, endpoints = manager.informer(Service), manager.informer(Endpoints)
    began = timestamp(manager.clock.now())
    controller = LeftEndpoints(manager.client_as(NAME), services, endpoints, began)
    controller.watch()
    return Controller(
        name=NAME,
        informer=endpoints,
        reconcile=controller.reconcile,
        watches=(Watch(services, lambda one: (one.key,)),),
    )
